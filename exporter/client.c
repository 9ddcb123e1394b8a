#include "exporter/client.h"

#include "base/memory.h"

#include <curl/curl.h>

#include <stdio.h>
#include <stdlib.h>

struct transfer {
    struct transfer *next;
    CURL *easy;
    struct curl_slist *headers;
    void *tag;
    struct buffer url, answer;
    bool is_cut; /* the answer was longer than CLIENT_ANSWER_MAX */
    char error[CURL_ERROR_SIZE];
};

struct client {
    CURLM *multi;
    struct transfer *transfers; /* on their way */
    char *apibase, *ca_file, *agent;
    char *key_header;
};

static bool is_header_text(const char *text)
{
    for (; *text; text++)
        if (*text < '!' || *text > '~')
            return false;
    return true;
}

bool client_set_key(struct client *client, const char *apikey, struct error *err)
{
    struct buffer header = {0};

    if (!*apikey || !is_header_text(apikey))
        return FAIL(err, ERROR_INVALID,
                    "the API key is empty or has characters that no API key has");
    buffer_printf(&header, "X-Api-Key: %s", apikey);
    free(client->key_header);
    client->key_header = memory_copy(buffer_slice(&header));
    buffer_release(&header);
    return true;
}

static struct slice without_trailing_slashes(struct slice text)
{
    while (text.len && text.ptr[text.len - 1] == '/')
        text.len--;
    return text;
}

static bool set_up(struct client *client, const struct client_options *options,
                   struct error *err)
{
    struct slice base = slice_of(options->apibase);

    if (!slice_starts_with(base, "https://") && !slice_starts_with(base, "http://"))
        return FAIL(err, ERROR_INVALID,
                    "mackerel.apibase must begin with https:// or http://");
    client->apibase = memory_copy(without_trailing_slashes(base));
    if (options->ca_file && *options->ca_file)
        client->ca_file = memory_copy(slice_of(options->ca_file));

    struct buffer agent = {0};

    buffer_printf(&agent, "mackerel-otel-gateway/%s", options->version);
    client->agent = memory_copy(buffer_slice(&agent));
    buffer_release(&agent);
    if (!client_set_key(client, options->apikey, err))
        return false;
    client->multi = curl_multi_init();
    return client->multi || FAIL(err, ERROR_INTERNAL, "libcurl could not be started");
}

struct client *client_new(const struct client_options *options, struct error *err)
{
    struct client *client = memory_new(1, sizeof(*client));

    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (set_up(client, options, err))
        return client;
    client_free(client);
    return NULL;
}

static void free_transfer(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    buffer_release(&transfer->url);
    buffer_release(&transfer->answer);
    free(transfer);
}

void client_free(struct client *client)
{
    if (!client)
        return;
    for (struct transfer *transfer = client->transfers, *next; transfer;
         transfer = next) {
        next = transfer->next;
        curl_multi_remove_handle(client->multi, transfer->easy);
        free_transfer(transfer);
    }
    curl_multi_cleanup(client->multi);
    free(client->apibase);
    free(client->ca_file);
    free(client->agent);
    free(client->key_header);
    free(client);
    curl_global_cleanup();
}

/* ---- sending ----------------------------------------------------------------------------- */

static size_t keep_answer(const char *bytes, size_t size, size_t count, void *self)
{
    struct transfer *transfer = self;
    size_t len = size * count;

    if (transfer->answer.len + len > CLIENT_ANSWER_MAX) {
        transfer->is_cut = true;
        return 0; /* ends the transfer */
    }
    buffer_append(&transfer->answer, (struct slice){bytes, len});
    return len;
}

static void add_header(struct transfer *transfer, const char *header)
{
    transfer->headers = curl_slist_append(transfer->headers, header);
}

static void set_limits(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)CLIENT_TOTAL_MS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CLIENT_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)CLIENT_IDLE_S);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CLIENT_LIFETIME_S);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
}

static void set_body(struct transfer *transfer, const struct api_request *request)
{
    if (!api_is_post(request->endpoint))
        return;
    curl_easy_setopt(transfer->easy, CURLOPT_POST, 1L);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDSIZE, (long)request->body.len);
    curl_easy_setopt(transfer->easy, CURLOPT_POSTFIELDS, request->body.ptr);
    add_header(transfer, "Content-Type: application/json");
}

static void set_request(const struct client *client, struct transfer *transfer,
                        const struct api_request *request)
{
    CURL *easy = transfer->easy;

    buffer_append_text(&transfer->url, client->apibase);
    buffer_append(&transfer->url, buffer_slice(&request->path));
    buffer_append_char(&transfer->url, '\0');
    curl_easy_setopt(easy, CURLOPT_URL, transfer->url.ptr);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, client->agent);
    if (client->ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, client->ca_file);
    add_header(transfer, client->key_header);
    add_header(transfer, "Expect:"); /* libcurl would wait a second for 100 Continue */
    set_body(transfer, request);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep_answer);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
}

void client_send(struct client *client, const struct api_request *request, void *tag)
{
    struct transfer *transfer = memory_new(1, sizeof(*transfer));

    transfer->tag = tag;
    transfer->easy = curl_easy_init();
    if (!transfer->easy)
        abort(); /* as out of memory: see base/memory.h */
    set_limits(transfer->easy);
    set_request(client, transfer, request);
    transfer->next = client->transfers;
    client->transfers = transfer;
    curl_multi_add_handle(client->multi, transfer->easy);
}

/* ---- answers ----------------------------------------------------------------------------- */

static void read_info(const struct transfer *transfer, CURLcode code,
                      struct api_answer *answer)
{
    long status = 0, header_size = 0, connects = 0;
    struct curl_header *retry_after;

    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_HEADER_SIZE, &header_size);
    curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
    *answer = (struct api_answer){
        .curl = (int)code,
        .had_bytes = header_size > 0 || transfer->answer.len > 0,
        .was_reused = connects == 0,
        .body = buffer_slice(&transfer->answer),
    };
    if (code == CURLE_OK) {
        answer->status = (int)status;
    } else if (transfer->is_cut) {
        /* The status was clear before the answer grew too long. */
        answer->curl = CURLE_OK;
        answer->status = (int)status;
    } else {
        answer->error = transfer->error[0] ? transfer->error : curl_easy_strerror(code);
    }
    if (curl_easy_header(transfer->easy, "Retry-After", 0, CURLH_HEADER, -1,
                         &retry_after) == CURLHE_OK)
        answer->retry_after = retry_after->value;
}

static void unlink_transfer(struct client *client, struct transfer *transfer)
{
    struct transfer **link = &client->transfers;

    while (*link != transfer)
        link = &(*link)->next;
    *link = transfer->next;
}

static void finish(struct client *client, const CURLMsg *message, client_done *done,
                   void *self)
{
    struct transfer *transfer;
    struct api_answer answer;
    CURLcode code = message->data.result;

    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
    read_info(transfer, code, &answer);
    unlink_transfer(client, transfer);
    curl_multi_remove_handle(client->multi, transfer->easy);
    done(self, transfer->tag, &answer);
    free_transfer(transfer);
}

void client_poll(struct client *client, int timeout_ms, client_done *done, void *self)
{
    const CURLMsg *message;
    int running, left;

    curl_multi_perform(client->multi, &running);
    message = curl_multi_info_read(client->multi, &left);
    if (!message) {
        curl_multi_poll(client->multi, NULL, 0, timeout_ms, NULL);
        curl_multi_perform(client->multi, &running);
        message = curl_multi_info_read(client->multi, &left);
    }
    for (; message; message = curl_multi_info_read(client->multi, &left))
        if (message->msg == CURLMSG_DONE)
            finish(client, message, done, self);
}

void client_wake(struct client *client)
{
    curl_multi_wakeup(client->multi);
}
