/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "updater/http/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <nss.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/lib/file.h"
#include "agent/lib/loop.h"
#include "agent/lib/str.h"
#include "updater/http/reply.h"
#include "updater/http/url.h"
#include "updater/tuf/reason.h"

#define PROTOCOLS "http,https"
#define CONNECTIONS 4L

struct http {
	struct loop *loop; /* borrowed */
	CURLM *multi;
	CURL *easy;
	struct loop_watch *timer;    /* libcurl's own */
	struct loop_watch *patience; /* ends an answer that does not begin */
	struct curl_slist *lines;    /* of the request */
	struct limits limits;
	bool has_ca, busy;
	struct reply reply; /* of the request that is under way, or was */
	char error[CURL_ERROR_SIZE];
	char redirect[URL_SIZE];
};

/* What libcurl's errors are to us; what is not here is -EIO, and final. */
static const struct {
	CURLcode code;
	int error;
	bool again;
} errors[] = {
	{ CURLE_OPERATION_TIMEDOUT, -ETIMEDOUT, true },
	{ CURLE_COULDNT_RESOLVE_HOST, -EHOSTUNREACH, true },
	{ CURLE_COULDNT_RESOLVE_PROXY, -EHOSTUNREACH, true },
	{ CURLE_COULDNT_CONNECT, -ECONNREFUSED, true },
	{ CURLE_SSL_CONNECT_ERROR, -ECONNREFUSED, true },
	{ CURLE_SEND_ERROR, -EPIPE, true },
	{ CURLE_RECV_ERROR, -EPIPE, true },
	{ CURLE_GOT_NOTHING, -EPIPE, true },
	{ CURLE_PARTIAL_FILE, -EPIPE, true },
	{ CURLE_PEER_FAILED_VERIFICATION, -EACCES, false },
	{ CURLE_SSL_CACERT_BADFILE, -EACCES, false },
	{ CURLE_WEIRD_SERVER_REPLY, -EPROTO, false },
	{ CURLE_BAD_CONTENT_ENCODING, -EPROTO, false },
	{ CURLE_UNSUPPORTED_PROTOCOL, -EPROTO, false },
	{ CURLE_OUT_OF_MEMORY, -ENOMEM, false },
};

int
http_init(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -EIO;
	/* Other modules would be libraries to load, which a seal forbids. */
	return __nss_configure_lookup("hosts", "files dns") < 0 ? -errno : 0;
}

const char *
http_version(void)
{
	return curl_version();
}

const char *
http_ca_file(void)
{
	return curl_version_info(CURLVERSION_NOW)->cainfo;
}

/* The value of the last answer's header, or "". */
static const char *
header(struct http *http, const char *name, size_t *ret_times)
{
	struct curl_header *found;

	*ret_times = 0;
	if (curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &found) !=
	    CURLHE_OK)
		return "";
	*ret_times = found->amount;
	return found->value;
}

static void
read_head(struct http *http, struct http_head *head)
{
	curl_off_t retry_s = 0;
	size_t times;

	*head = (struct http_head){ 0 };
	(void)curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE,
				&head->status);
	(void)curl_easy_getinfo(http->easy, CURLINFO_RETRY_AFTER, &retry_s);
	time_t date = curl_getdate(header(http, "Date", &times), NULL);
	head->retry_s = retry_s > 0 ? (uint64_t)retry_s : 0;
	head->date_s = date > 0 ? date : 0;
	(void)str_copy(head->etag, sizeof(head->etag),
		       header(http, "ETag", &times));
	(void)str_copy(head->content_range, sizeof(head->content_range),
		       header(http, "Content-Range", &times));
	head->packed = http->reply.request.packed &&
		       header(http, "Content-Encoding", &times)[0];
}

/* Once, before the body or at the end of what has none. */
static bool
begin(struct http *http)
{
	struct http_head head;
	size_t times;

	(void)loop_set_timer(http->patience, 0, 0);
	read_head(http, &head);
	const char *length = header(http, "Content-Length", &times);
	return reply_begin(&http->reply, &head, length, times);
}

static size_t
on_body(char *bytes, size_t one, size_t len, void *arg)
{
	struct http *http = arg;

	len *= one;
	if (!http->reply.begun && !begin(http))
		return CURL_WRITEFUNC_ERROR;
	return reply_body(&http->reply, bytes, len) ? len :
						      CURL_WRITEFUNC_ERROR;
}

/* Also of interim answers and of proxies, and what follows chunks. */
static size_t
on_header(const char *bytes, size_t one, size_t len, void *arg)
{
	struct http *http = arg;

	(void)bytes;
	return reply_header(&http->reply, one * len) ? one * len : 0;
}

static int
on_progress(void *arg, curl_off_t all, curl_off_t now, curl_off_t up_all,
	    curl_off_t up)
{
	struct http *http = arg;

	(void)all;
	(void)up_all;
	(void)up;
	return reply_wire(&http->reply, now > 0 ? (uint64_t)now : 0) ? 0 : 1;
}

/* The request is over: nothing of it is left but what on_end() is told. */
static void
finish(struct http *http, int error, bool again)
{
	/* on_end() may begin the next one, in the same place. */
	const struct reply reply = http->reply;
	const struct http_end end = { .error = error,
				      .again = again,
				      .redirect = http->redirect,
				      .head = &reply.head };

	http_stop(http);
	reply.request.on_end(reply.request.arg, &end, &reply.why);
}

static void
fail(struct http *http, CURLcode code)
{
	int error = -EIO;
	bool again = false;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == code) {
			error = errors[i].error;
			again = errors[i].again;
		}
	const char *text =
		http->error[0] ? http->error : curl_easy_strerror(code);
	/* What libcurl says of a line above 100 KiB, too. */
	if (code == CURLE_OUT_OF_MEMORY && !http->reply.begun)
		text = "sends a header that is too long, or memory is out";
	(void)reason_set(&http->reply.why, error, "%s", text);
	finish(http, error, again);
}

static void
read_redirect(struct http *http)
{
	char *redirect = NULL;

	(void)curl_easy_getinfo(http->easy, CURLINFO_REDIRECT_URL, &redirect);
	if (redirect &&
	    str_copy(http->redirect, sizeof(http->redirect), redirect) < 0)
		(void)str_copy(http->redirect, sizeof(http->redirect),
			       "(an address that is too long)");
}

static void
on_done(struct http *http, CURLcode code)
{
	struct reply *reply = &http->reply;

	if (code == CURLE_OK && !reply->begun)
		(void)begin(http);
	if (reply->error < 0) {
		finish(http, reply->error, false);
	} else if (code != CURLE_OK && !reply->enough) {
		fail(http, code);
	} else {
		read_redirect(http);
		finish(http, 0, false);
	}
}

/* After each call into libcurl that may have ended the request. */
static void
look(struct http *http)
{
	CURLMsg *message;
	int left;

	while (message = curl_multi_info_read(http->multi, &left), message)
		if (message->msg == CURLMSG_DONE)
			on_done(http, message->data.result);
}

static int
on_ready(void *arg, int fd, uint32_t events)
{
	struct http *http = arg;
	int mask = 0, running;

	if (events & EPOLLIN)
		mask |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		mask |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(http->multi, fd, mask, &running);
	look(http);
	return 0;
}

static int
on_time(void *arg)
{
	struct http *http = arg;
	int running;

	(void)curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0,
				       &running);
	look(http);
	return 0;
}

static int
on_impatience(void *arg)
{
	struct http *http = arg;
	uint64_t ms =
		(uint64_t)http->limits.connect_ms + http->limits.header_ms;

	if (!http->busy || http->reply.begun)
		return 0;
	(void)reason_set(&http->reply.why, 0, "no answer in %" PRIu64 " ms",
			 ms);
	finish(http, -ETIMEDOUT, true);
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct http *http = arg;

	(void)multi;
	/* 0 is "at once", which to the loop's timer is "never". */
	if (timeout_ms == 0)
		timeout_ms = 1;
	return loop_set_timer(http->timer,
			      timeout_ms < 0 ? 0 : (uint64_t)timeout_ms, 0);
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct http *http = arg;
	struct loop_watch *watch = known;
	uint32_t events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		loop_remove(watch);
		(void)curl_multi_assign(http->multi, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (watch)
		return loop_set_events(watch, events) < 0 ? -1 : 0;
	watch = loop_add_fd(http->loop, fd, events, on_ready, http);
	if (!watch)
		return -1;
	(void)curl_multi_assign(http->multi, fd, watch);
	return 0;
}

/* What holds for all requests.  Below, too: anything but 0 is an error. */
static int
set_bounds(CURL *easy, const struct limits *limits)
{
	const struct {
		CURLoption option;
		long value;
	} bounds[] = {
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_PATH_AS_IS, 1 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_DISALLOW_USERNAME_IN_URL, 1 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
		{ CURLOPT_PROXY_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
		{ CURLOPT_CONNECTTIMEOUT_MS, (long)limits->connect_ms },
		{ CURLOPT_LOW_SPEED_LIMIT, (long)limits->slow_bytes },
		{ CURLOPT_LOW_SPEED_TIME, (long)limits->slow_s },
		{ CURLOPT_NOPROGRESS, 0 },
		/* Or a name server that is silent would hold us up. */
		{ CURLOPT_QUICK_EXIT, 1 },
	};
	int bad = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, PROTOCOLS);

	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++)
		bad |= curl_easy_setopt(easy, bounds[i].option,
					bounds[i].value);
	return bad | curl_easy_setopt(easy, CURLOPT_USERAGENT,
				      "khien/" KHIEN_VERSION);
}

/* Certificates of the system's folder would be trusted beside the file's. */
static int
set_peers(CURL *easy, const struct http_options *options)
{
	struct curl_blob blob = { .data = (void *)(uintptr_t)options->ca,
				  .len = options->ca_len,
				  .flags = CURL_BLOB_COPY };
	int bad = curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);

	bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, NULL);
	/* "" is none at all; NULL would be the environment's. */
	bad |= curl_easy_setopt(easy, CURLOPT_PROXY, options->proxy);
	bad |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
	if (!options->ca)
		return bad;
	bad |= curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
	return bad | curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO_BLOB, &blob);
}

static int
set_calls(struct http *http)
{
	CURL *easy = http->easy;
	CURLM *multi = http->multi;
	int bad = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);

	bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, http);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, http);
	bad |= curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	bad |= curl_easy_setopt(easy, CURLOPT_XFERINFODATA, http);
	bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->error);
	bad |= curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	bad |= curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
	bad |= curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	bad |= curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
	return bad |
	       curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, CONNECTIONS);
}

int
http_new(struct loop *loop, const struct http_options *options,
	 struct http **ret_http, struct reason *why)
{
	if (options->proxy[0]) {
		int r = url_check_proxy(options->proxy, why);
		if (r < 0)
			return r;
	}
	CLEANUP(http_freep) struct http *http = calloc(1, sizeof(*http));
	if (!http)
		return -ENOMEM;
	http->loop = loop;
	http->limits = options->limits;
	http->has_ca = options->ca;
	http->timer = loop_add_timer(loop, 0, on_time, http);
	http->patience = loop_add_timer(loop, 0, on_impatience, http);
	http->multi = curl_multi_init();
	http->easy = curl_easy_init();
	if (!http->timer || !http->patience || !http->multi || !http->easy)
		return -ENOMEM;
	if (set_bounds(http->easy, &options->limits) ||
	    set_peers(http->easy, options) || set_calls(http))
		return -ENOMEM;
	*ret_http = TAKE(http);
	return 0;
}

void
http_free(struct http *http)
{
	if (!http)
		return;
	http_stop(http);
	curl_easy_cleanup(http->easy);
	(void)curl_multi_cleanup(http->multi);
	loop_remove(http->timer);
	loop_remove(http->patience);
	free(http);
}

void
http_freep(struct http **http)
{
	http_free(*http);
	*http = NULL;
}

/* What differs from request to request. */
static int
set_request(struct http *http, const struct http_request *request)
{
	CURL *easy = http->easy;
	char range[32] = "", line[HTTP_ETAG_SIZE + 16];

	if (request->from) {
		(void)snprintf(range, sizeof(range), "%" PRIu64 "-",
			       request->from);
		(void)snprintf(line, sizeof(line), "If-Range: %s",
			       request->etag);
		http->lines = curl_slist_append(NULL, line);
		if (!http->lines)
			return -ENOMEM;
	}
	int bad = curl_easy_setopt(easy, CURLOPT_URL, request->url);
	bad |= curl_easy_setopt(easy, CURLOPT_RANGE, range[0] ? range : NULL);
	bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->lines);
	return bad | curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING,
				      request->packed ? "gzip" : NULL);
}

int
http_start(struct http *http, const struct http_request *request,
	   struct reason *why)
{
	uint64_t patience_ms =
		(uint64_t)http->limits.connect_ms + http->limits.header_ms;

	if (str_starts(request->url, "https:") && !http->has_ca)
		return reason_set(why, -EACCES,
				  "there are no certificates to check it "
				  "against: install ca-certificates, or name a "
				  "file of your own");
	reply_init(&http->reply, request, http->limits.header_bytes);
	http->redirect[0] = '\0';
	http->error[0] = '\0';
	if (set_request(http, request) ||
	    curl_multi_add_handle(http->multi, http->easy) != CURLM_OK ||
	    loop_set_timer(http->patience, patience_ms, 0) < 0)
		return -ENOMEM;
	http->busy = true;
	return 0;
}

void
http_stop(struct http *http)
{
	if (http->busy)
		(void)curl_multi_remove_handle(http->multi, http->easy);
	http->busy = false;
	curl_slist_free_all(http->lines);
	http->lines = NULL;
	if (http->patience)
		(void)loop_set_timer(http->patience, 0, 0);
}
