#include "exporter/classify.h"

#include <curl/curl.h>

#include <ctype.h>
#include <stdlib.h>

/* The first row whose range holds the status decides. */
static const struct {
    int first, last;
    struct judgement judgement;
} statuses[] = {
    {200, 299, {VERDICT_DELIVERED, false}},
    {300,
     399,
     {VERDICT_RETRY, false}}, /* a redirect is no answer of this API: a portal, a proxy */
    {400, 400, {VERDICT_BAD, false}},
    {401, 401, {VERDICT_AUTH, false}},
    {403, 403, {VERDICT_AUTH, false}},
    {404, 404, {VERDICT_NOT_FOUND, false}},
    {407, 407, {VERDICT_RETRY, false}}, /* our proxy, not Mackerel */
    {408, 408, {VERDICT_RETRY, true}},
    {410, 410, {VERDICT_NOT_FOUND, false}},
    {413, 413, {VERDICT_SPLIT, false}},
    {425, 425, {VERDICT_RETRY, false}},
    {429, 429, {VERDICT_RETRY_NEXT_MINUTE, false}},
    {400, 499, {VERDICT_BAD, false}},
    {502,
     502,
     {VERDICT_RETRY, true}}, /* the server behind the gateway may have taken it */
    {504, 504, {VERDICT_RETRY, true}},
    {0, 999, {VERDICT_RETRY, false}},
};

/* Failures before a byte of the request left: nothing can have taken effect. */
static const CURLcode unsent[] = {
    CURLE_URL_MALFORMAT,      CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST,
    CURLE_COULDNT_CONNECT,    CURLE_SSL_CONNECT_ERROR,     CURLE_PEER_FAILED_VERIFICATION,
    CURLE_SSL_CACERT_BADFILE,
};

static bool failed_before_sending(int code)
{
    for (size_t i = 0; i < sizeof(unsent) / sizeof(unsent[0]); i++)
        if ((int)unsent[i] == code)
            return true;
    return false;
}

/* The ways in which a connection that the server had closed shows itself. */
static bool connection_died(int code)
{
    return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
           code == CURLE_GOT_NOTHING;
}

struct judgement classify(const struct outcome *outcome)
{
    if (outcome->curl == CURLE_OK) {
        size_t row = 0;

        if (outcome->is_question && !outcome->is_json && outcome->status / 100 == 2)
            return (struct judgement){VERDICT_RETRY, true};
        while (outcome->status < statuses[row].first ||
               outcome->status > statuses[row].last)
            row++;
        return statuses[row].judgement;
    }
    if (connection_died(outcome->curl) && outcome->was_reused && !outcome->had_bytes &&
        !outcome->is_resend)
        return (struct judgement){VERDICT_RESEND_ONCE, true};
    return (struct judgement){VERDICT_RETRY, !failed_before_sending(outcome->curl)};
}

uint64_t retry_after_s(const char *value, uint64_t now_s)
{
    uint64_t seconds = 0;

    if (!value || !*value)
        return 0;
    if (isdigit((unsigned char)*value)) {
        for (; isdigit((unsigned char)*value) && seconds <= RETRY_AFTER_MAX_S; value++)
            seconds = seconds * 10 + (uint64_t)(*value - '0');
    } else {
        time_t date = curl_getdate(value, NULL);

        if (date > 0 && (uint64_t)date > now_s)
            seconds = (uint64_t)date - now_s;
    }
    return seconds > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : seconds;
}
