// Attempts at getting out of a sandbox, for tests. Each returns 0 when it worked, and the errno that stopped it when
// not; some end the process instead.
#ifndef REELPOOL_CESCAPE_H
#define REELPOOL_CESCAPE_H

#include <stdbool.h>
#include <stdint.h>

/// - Parameter victim: a process outside.
int escape_attempt(const char *name, int32_t victim);
/// Crashes by a signal: "segv", "abort", "ill", "bus", or exits without a word.
void escape_crash(const char *name);
/// Touches this much memory, in small steps, and keeps it.
int escape_fill_memory(int64_t bytes);
/// Starts threads until that fails or there are so many; they sleep for ever.
int escape_fill_threads(int most);
/// Writes bytes that are no message to the channel.
int escape_send_raw(int descriptor, const void *bytes, int count);
void escape_sleep_for_ever(void);
/// Bit n is set when descriptor n is open, for 0 to 63.
uint64_t escape_open_descriptors(void);
/// Environment variables, and bytes at the place where the program's first environment was.
int escape_environment_count(void);

#endif
