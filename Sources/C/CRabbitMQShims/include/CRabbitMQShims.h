#ifndef REELPOOL_CRABBITMQ_SHIMS_H
#define REELPOOL_CRABBITMQ_SHIMS_H

#include "../../CRabbitMQ/CRabbitMQ.h"

/* amqp_login_with_properties takes a variable number of arguments, which Swift cannot call.
 *
 * Logs in by user and password, and says what this client can take: Basic.Cancel when a queue goes away, and
 * Connection.Blocked; librabbitmq alone advertises neither, and a consumer of a deleted queue would wait for ever. */
amqp_rpc_reply_t rp_amqp_login(amqp_connection_state_t connection, const char *vhost, int heartbeat_seconds,
                               const char *user, const char *password, const char *connection_name);

#endif
