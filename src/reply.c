/*
 * Answers of our own. Takes a refusal, gives it in the one form that git
 * shows at that point of the protocol; every foreign byte in it is cleaned.
 */
#include "reply.h"

#include <fcgiapp.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "commands.h"
#include "packets.h"
#include "refusal.h"
#include "text.h"

/* A pkt-line's payload at most (gitprotocol-common(5)): 65520 less 4. */
#define PKT_MAX 65516
/* Of one side-band packet, small enough for the old side-band (1000). */
#define BAND_MAX 990

static const char *status_name(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 413:
		return "Content Too Large";
	case 415:
		return "Unsupported Media Type";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	default:
		return "Internal Server Error";
	}
}

static void send_text(struct FCGX_Request *fcgi, int status, int retry_after,
		      const char *text)
{
	FCGX_FPrintF(fcgi->out, "Status: %d %s\r\n", status,
		     status_name(status));
	FCGX_FPrintF(fcgi->out, "Content-Type: text/plain; charset=utf-8\r\n"
				"Cache-Control: no-store\r\n"
				"X-Content-Type-Options: nosniff\r\n");
	if (retry_after > 0)
		FCGX_FPrintF(fcgi->out, "Retry-After: %d\r\n", retry_after);
	FCGX_FPrintF(fcgi->out, "Content-Length: %d\r\n\r\n",
		     (int)strlen(text));
	FCGX_PutStr(text, (int)strlen(text), fcgi->out);
}

void reply_text(struct FCGX_Request *fcgi, int status, const char *text)
{
	send_text(fcgi, status, 0, text);
}

/* The refusal as lines, the last one for programs. */
static void add_lines(struct buf *out, const struct refusal *why,
		      const char *id)
{
	buf_adds(out, "git-gate: ");
	text_clean(out, why->sentence, strlen(why->sentence));
	buf_addc(out, '\n');
	if (why->remedy != NULL) {
		buf_adds(out, "git-gate: ");
		text_clean(out, why->remedy, strlen(why->remedy));
		buf_addc(out, '\n');
	}
	buf_addf(out, "git-gate: refused code=%s retry=%s id=%s\n", why->code,
		 why->retry ? "yes" : "no", id);
}

static void add_pkt(struct buf *out, const void *data, size_t n)
{
	if (n > PKT_MAX)
		n = PKT_MAX;
	buf_addf(out, "%04zx", n + 4);
	buf_add(out, data, n);
}

/* data in packets of the given band (1 data, 2 for people). */
static void add_band(struct buf *out, char band, const struct buf *data)
{
	size_t at = 0;

	while (at < data->len) {
		size_t n = data->len - at < BAND_MAX ? data->len - at
						     : BAND_MAX;

		buf_addf(out, "%04zx%c", n + 5, band);
		buf_add(out, data->data + at, n);
		at += n;
	}
}

/* report-status (gitprotocol-pack(5)): what became of each reference. */
static void add_report(struct buf *out, const struct commands *commands,
		       const struct refusal *why)
{
	struct buf line = BUF_INIT;
	size_t i;

	add_pkt(out, "unpack ok\n", 10);
	for (i = 0; i < commands->nr; i++) {
		const char *ref = commands->list[i].ref;
		const char *reason =
			why->ref_reason != NULL ? why->ref_reason : why->code;

		if (why->ref != NULL && strcmp(ref, why->ref) != 0)
			reason = "another reference of this push was refused";
		buf_reset(&line);
		buf_addf(&line, "ng %s ", ref);
		text_clean(&line, reason, strlen(reason));
		buf_addc(&line, '\n');
		add_pkt(out, line.data, line.len);
	}
	buf_adds(out, "0000");
	buf_clear(&line);
}

static void send_result(struct FCGX_Request *fcgi, enum service service,
			const struct buf *body)
{
	size_t at = 0;

	FCGX_FPrintF(fcgi->out,
		     "Status: 200 OK\r\nContent-Type: application/x-%s-result"
		     "\r\nCache-Control: no-cache, max-age=0, must-revalidate"
		     "\r\n\r\n",
		     route_service_name(service));
	while (at < body->len) {
		size_t n = body->len - at < 16384 ? body->len - at : 16384;

		if (FCGX_PutStr(body->data + at, (int)n, fcgi->out) < 0)
			break;
		at += n;
	}
}

static void refuse_push(struct FCGX_Request *fcgi, const struct buf *lines,
			const struct commands *commands,
			const struct refusal *why)
{
	struct buf body = BUF_INIT, report = BUF_INIT;

	add_report(&report, commands, why);
	if (commands->side_band) {
		add_band(&body, 2, lines);
		add_band(&body, 1, &report);
		buf_adds(&body, "0000");
	} else {
		buf_add(&body, report.data, report.len);
	}
	send_result(fcgi, SERVICE_RECEIVE_PACK, &body);
	buf_clear(&body);
	buf_clear(&report);
}

/* An error packet, which git prints as "remote error: ...". */
static void refuse_fetch(struct FCGX_Request *fcgi, const struct buf *lines)
{
	struct buf body = BUF_INIT, text = BUF_INIT;

	buf_addf(&text, "ERR %.*s", (int)lines->len - 1, lines->data);
	add_pkt(&body, text.data, text.len);
	send_result(fcgi, SERVICE_UPLOAD_PACK, &body);
	buf_clear(&body);
	buf_clear(&text);
}

void reply_refuse(struct FCGX_Request *fcgi, const struct route *route,
		  const struct commands *commands, const struct refusal *why,
		  const char *id)
{
	struct buf lines = BUF_INIT;
	int rpc = route->kind == ROUTE_RPC;

	add_lines(&lines, why, id);
	if (rpc && route->service == SERVICE_UPLOAD_PACK)
		refuse_fetch(fcgi, &lines);
	else if (rpc && commands != NULL && commands->nr > 0 &&
		 commands->report_status)
		refuse_push(fcgi, &lines, commands, why);
	else
		send_text(fcgi, why->status, why->retry_after, lines.data);
	buf_clear(&lines);
}

/*
 * Of band 3, which ends a side-band, or an error packet where a fetch has not
 * come to its pack. A push without side-band has nothing of the kind.
 */
void reply_last(const struct route *route, const struct commands *commands,
		const struct packets *packets, const struct refusal *why,
		const char *id, struct buf *out)
{
	struct buf lines = BUF_INIT, text = BUF_INIT;
	size_t n;

	add_lines(&lines, why, id);
	n = lines.len < BAND_MAX ? lines.len : BAND_MAX;
	if (route->service == SERVICE_RECEIVE_PACK ? commands->side_band
						   : packets_band(packets)) {
		buf_addc(&text, 3);
		buf_add(&text, lines.data, n);
	} else if (route->service == SERVICE_UPLOAD_PACK) {
		buf_addf(&text, "ERR %.*s", (int)n - 1, lines.data);
	}
	if (packets_whole(packets) && text.len > 0)
		add_pkt(out, text.data, text.len);
	buf_clear(&lines);
	buf_clear(&text);
}

void reply_note(const struct commands *commands, const struct refusal *why,
		const char *id, struct buf *out)
{
	struct buf lines = BUF_INIT;

	add_lines(&lines, why, id);
	if (commands->side_band)
		add_band(out, 2, &lines);
	buf_clear(&lines);
}
