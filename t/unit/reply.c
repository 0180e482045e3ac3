/* Properties of reply.c: what git sees of a refusal, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcgiapp.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "commands.h"
#include "refusal.h"
#include "reply.h"

/* FCGI_STDOUT and the record header of the FastCGI specification, 3.3. */
#define STDOUT_TYPE 6
#define HEADER_LEN 8

/* libfcgi does not free the request that FCGX_CreateWriter makes. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:FCGX_CreateWriter";
}

static const struct refusal denied = {
	.status = 403, .code = "denied",
	.sentence = "you may not \033[1mcreate it", .remedy = "ask",
	.ref = "refs/heads/a", .ref_reason = "no"
};

/* What a web server would read of this answer. */
static void answer(const struct route *route, const struct commands *commands,
		   struct buf *out)
{
	struct FCGX_Request fcgi = { 0 };
	struct buf raw = BUF_INIT;
	int fds[2];
	size_t at = 0;

	assert_int_equal(pipe(fds), 0);
	fcgi.out = FCGX_CreateWriter(fds[1], 1, 8192, STDOUT_TYPE);
	reply_refuse(&fcgi, route, commands, &denied, "0123");
	FCGX_FFlush(fcgi.out);
	FCGX_FreeStream(&fcgi.out);
	close(fds[1]);
	assert_int_equal(buf_read_fd(&raw, fds[0], 1 << 16), 0);
	close(fds[0]);
	while (at + HEADER_LEN <= raw.len) {
		const unsigned char *h = (unsigned char *)raw.data + at;
		size_t n = (size_t)h[4] << 8 | h[5];

		assert_int_equal(h[1], STDOUT_TYPE);
		buf_add(out, raw.data + at + HEADER_LEN, n);
		at += HEADER_LEN + n + h[6];
	}
	buf_clear(&raw);
}

static void push(struct commands *c, const char *caps)
{
	struct buf line = BUF_INIT, pkt = BUF_INIT;

	commands_init(c);
	buf_addf(&line, "%040d %040d refs/heads/a", 0, 1);
	buf_add(&line, "", 1);
	buf_adds(&line, caps);
	buf_addf(&pkt, "%04zx", line.len + 4);
	buf_add(&pkt, line.data, line.len);
	buf_addf(&pkt, "%04x%040d %040d refs/heads/b0000", 4 + 82 + 12, 0, 1);
	assert_int_equal(commands_feed(c, pkt.data, pkt.len), COMMANDS_DONE);
	assert_int_equal(c->nr, 2);
	buf_clear(&line);
	buf_clear(&pkt);
}

static void an_advertisement_is_refused_in_text(void **state)
{
	struct route route = { .kind = ROUTE_ADVERTISE,
			       .service = SERVICE_UPLOAD_PACK };
	struct buf b = BUF_INIT;

	(void)state;
	answer(&route, NULL, &b);
	assert_non_null(strstr(b.data, "Status: 403 Forbidden\r\n"));
	assert_non_null(strstr(b.data, "\r\n\r\ngit-gate: you may not ?[1m"
				       "create it\ngit-gate: ask\ngit-gate: "
				       "refused code=denied retry=no "
				       "id=0123\n"));
	buf_clear(&b);
}

static void a_fetch_is_refused_by_an_error_packet(void **state)
{
	struct route route = { .kind = ROUTE_RPC,
			       .service = SERVICE_UPLOAD_PACK };
	struct buf b = BUF_INIT;
	char *body;

	(void)state;
	answer(&route, NULL, &b);
	assert_non_null(strstr(b.data, "Status: 200 OK\r\n"));
	body = strstr(b.data, "\r\n\r\n") + 4;
	assert_int_equal(strtoul((char[]){ body[0], body[1], body[2], body[3],
					   0 }, NULL, 16), strlen(body));
	assert_memory_equal(body + 4, "ERR git-gate: you", 17);
	assert_null(strchr(body, '\033'));
	buf_clear(&b);
}

static void a_push_is_refused_by_report_and_side_band(void **state)
{
	struct route route = { .kind = ROUTE_RPC,
			       .service = SERVICE_RECEIVE_PACK };
	struct commands c;
	struct buf b = BUF_INIT;
	char *body;

	(void)state;
	push(&c, "report-status side-band-64k");
	answer(&route, &c, &b);
	assert_non_null(strstr(b.data, "Status: 200 OK\r\n"));
	body = strstr(b.data, "\r\n\r\n") + 4;
	assert_int_equal(body[4], 2);
	assert_non_null(strstr(body, "\001000eunpack ok\n"));
	assert_non_null(strstr(body, "ng refs/heads/a no\n"));
	assert_non_null(strstr(body, "ng refs/heads/b another reference"));
	assert_string_equal(body + strlen(body) - 8, "00000000");
	commands_clear(&c);
	buf_clear(&b);
}

static void without_side_band_there_is_the_report_alone(void **state)
{
	struct route route = { .kind = ROUTE_RPC,
			       .service = SERVICE_RECEIVE_PACK };
	struct commands c;
	struct buf b = BUF_INIT;
	char *body;

	(void)state;
	push(&c, "report-status");
	answer(&route, &c, &b);
	body = strstr(b.data, "\r\n\r\n") + 4;
	assert_memory_equal(body, "000eunpack ok\n", 14);
	commands_clear(&c);
	buf_clear(&b);
}

static void without_report_status_http_must_say_it(void **state)
{
	struct route route = { .kind = ROUTE_RPC,
			       .service = SERVICE_RECEIVE_PACK };
	struct commands c;
	struct buf b = BUF_INIT;

	(void)state;
	push(&c, "");
	answer(&route, &c, &b);
	assert_non_null(strstr(b.data, "Status: 403 Forbidden\r\n"));
	commands_clear(&c);
	buf_clear(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_advertisement_is_refused_in_text),
		cmocka_unit_test(a_fetch_is_refused_by_an_error_packet),
		cmocka_unit_test(a_push_is_refused_by_report_and_side_band),
		cmocka_unit_test(without_side_band_there_is_the_report_alone),
		cmocka_unit_test(without_report_status_http_must_say_it),
	};

	if (FCGX_Init() != 0)
		return 1;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
