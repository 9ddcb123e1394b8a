/*
 * What an answer changed about a host, for the log.
 */
#ifndef EXPORTER_HOST_EVENT_H
#define EXPORTER_HOST_EVENT_H

/* Longest text about a host, as in exporter/host_text.h. */
enum {
    HOST_TEXT_MAX = 384
};

enum host_event {
    HOST_EVENT_NONE,
    HOST_EVENT_FOUND,
    HOST_EVENT_CREATED,
    HOST_EVENT_UNKNOWN,       /* none or several */
    HOST_EVENT_STILL_UNKNOWN, /* again none or several */
    HOST_EVENT_AGENT_WRITES,
    HOST_EVENT_AGENT_SILENT,
};

#endif
