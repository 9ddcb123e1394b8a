/*
 * HTTP/1.1 (and 1.0) on one connection, with llhttp: requests one after the other, pipelined ones
 * kept back until the one before is answered, Content-Length and chunked bodies, keep-alive,
 * Expect: 100-continue. An Upgrade to h2c is ignored, as RFC 9113 removed it.
 *
 * Bounded: header block and trailers 16 KiB each (431), time for a header block 10 s, for a
 * request and for silence as the options say. An error that comes before the body is complete
 * ends the connection, since the rest of the body would otherwise have to be read for nothing.
 */
#ifndef RECEIVER_HTTP1_H
#define RECEIVER_HTTP1_H

#include "receiver/protocol.h"

struct protocol *http1_new(const struct protocol_host *host);

#endif
