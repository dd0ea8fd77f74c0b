#include "CRabbitMQShims.h"

static amqp_table_entry_t text(const char *key, const char *value) {
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes(value);
    return entry;
}

static amqp_table_entry_t yes(const char *key) {
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes(key)};
    entry.value.kind = AMQP_FIELD_KIND_BOOLEAN;
    entry.value.value.boolean = 1;
    return entry;
}

amqp_rpc_reply_t rp_amqp_login(amqp_connection_state_t connection, const char *vhost, int heartbeat_seconds,
                               const char *user, const char *password, const char *connection_name) {
    amqp_table_entry_t capabilities[] = {
        yes("consumer_cancel_notify"), yes("connection.blocked"),           yes("publisher_confirms"),
        yes("basic.nack"),             yes("authentication_failure_close"),
    };
    amqp_table_entry_t properties[3] = {
        text("product", "Reelpool"),
        text("connection_name", connection_name),
        {.key = amqp_cstring_bytes("capabilities")},
    };
    properties[2].value.kind = AMQP_FIELD_KIND_TABLE;
    properties[2].value.value.table.num_entries = sizeof capabilities / sizeof *capabilities;
    properties[2].value.value.table.entries = capabilities;
    amqp_table_t table = {.num_entries = sizeof properties / sizeof *properties, .entries = properties};
    return amqp_login_with_properties(connection, vhost, AMQP_DEFAULT_MAX_CHANNELS, AMQP_DEFAULT_FRAME_SIZE,
                                      heartbeat_seconds, &table, AMQP_SASL_METHOD_PLAIN, user, password);
}
