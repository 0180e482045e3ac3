/*
 * fault: real last words of git 2.39.5 and OpenSSH 9.2, each seen from the
 * failure named beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "buf.h"
#include "child.h"
#include "fault.h"

#define UNREAD                                                                 \
	"fatal: Could not read from remote repository.\n\n"                    \
	"Please make sure you have the correct access rights\n"                \
	"and the repository exists.\n"

static const struct {
	const char *what;
	int status;
	enum fault_kind kind;
	const char *words;
} cases[] = {
	{ "success", 0, FAULT_NONE, "" },
	/* ssh */
	{ "ssh, missing", 128, FAULT_NOT_FOUND,
	  "fatal: '/srv/none.git' does not appear to be a git repository\n"
	  UNREAD },
	{ "ssh, refused", 128, FAULT_UNREACHABLE,
	  "ssh: connect to host 127.0.0.1 port 1: Connection refused\n" UNREAD },
	{ "ssh, no such host", 128, FAULT_UNREACHABLE,
	  "ssh: Could not resolve hostname nohost.invalid: Name or service not "
	  "known\n" UNREAD },
	{ "ssh, key refused", 128, FAULT_AUTH,
	  "git@127.0.0.1: Permission denied (publickey).\n" UNREAD },
	{ "ssh, changed host key", 128, FAULT_HOST_KEY,
	  "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"
	  "Host key for [127.0.0.1]:2222 has changed and you have requested "
	  "strict checking.\nHost key verification failed.\n" UNREAD },
	{ "ssh, unknown host key", 128, FAULT_HOST_KEY,
	  "No ED25519 host key is known for [127.0.0.1]:2222 and you have "
	  "requested strict checking.\nHost key verification failed.\n" UNREAD },
	{ "ssh, agent", 128, FAULT_AGENT,
	  "git-gate-ssh: warning: /run/agent: the SSH agent does not answer: "
	  "Connection refused (attempt 3 of 3)\n" UNREAD },
	{ "ssh, agent answered late, key refused", 128, FAULT_AUTH,
	  "git-gate-ssh: warning: /run/agent: the SSH agent does not answer: "
	  "No such file or directory (attempt 1 of 3)\n"
	  "git@127.0.0.1: Permission denied (publickey).\n" UNREAD },
	{ "our helper", 128, FAULT_LOCAL,
	  "git-gate-ssh: error: /etc/g.conf:3: unknown key\n" UNREAD },
	{ "forge over ssh, missing", 128, FAULT_NOT_FOUND,
	  "ERROR: Repository not found.\n" UNREAD },
	/* http */
	{ "http, no token", 128, FAULT_AUTH,
	  "error: unable to read askpass response from 'x'\nfatal: could not "
	  "read Password for 'https://git@h': terminal prompts disabled\n" },
	{ "http, 401", 128, FAULT_AUTH,
	  "remote: nope\nfatal: Authentication failed for 'https://h/x.git/'\n" },
	{ "http, 403", 128, FAULT_AUTH,
	  "remote: nope\nfatal: unable to access 'https://h/x.git/': The "
	  "requested URL returned error: 403\n" },
	{ "http, 404", 128, FAULT_NOT_FOUND,
	  "remote: nope\nfatal: repository 'https://h/x.git/' not found\n" },
	{ "http, 500", 128, FAULT_UNREACHABLE,
	  "fatal: unable to access 'https://h/x.git/': The requested URL "
	  "returned error: 500\n" },
	{ "http, redirection", 128, FAULT_OTHER,
	  "fatal: unable to access 'https://h/x.git/': The requested URL "
	  "returned error: 302\n" },
	{ "http, no git there", 128, FAULT_NOT_FOUND,
	  "fatal: https://h/x.git/info/refs not valid: is this a git "
	  "repository?\n" },
	{ "http, refused", 128, FAULT_UNREACHABLE,
	  "fatal: unable to access 'http://127.0.0.1:1/a.git/': Failed to "
	  "connect to 127.0.0.1 port 1 after 0 ms: Couldn't connect to "
	  "server\n" },
	{ "http, no such host", 128, FAULT_UNREACHABLE,
	  "fatal: unable to access 'http://h/a.git/': Could not resolve host: "
	  "h\n" },
	{ "https, unknown authority", 128, FAULT_HOST_KEY,
	  "fatal: unable to access 'https://h/x.git/': server certificate "
	  "verification failed. CAfile: none CRLfile: none\n" },
	{ "https, no TLS", 128, FAULT_UNREACHABLE,
	  "fatal: unable to access 'https://h/x.git/': gnutls_handshake() "
	  "failed: An unexpected TLS packet was received.\n" },
	/* git, file */
	{ "git, missing", 128, FAULT_NOT_FOUND,
	  "fatal: remote error: access denied or repository not exported: "
	  "/none.git\n" },
	{ "git, refused", 128, FAULT_UNREACHABLE,
	  "fatal: unable to connect to 127.0.0.1:\n127.0.0.1[0: 127.0.0.1]: "
	  "errno=Connection refused\n" },
	{ "git, no such host", 128, FAULT_UNREACHABLE,
	  "fatal: unable to look up h (port 9418) (Name or service not "
	  "known)\n" },
	{ "file, another's", 128, FAULT_LOCAL,
	  "fatal: detected dubious ownership in repository at '/srv/a.git'\n"
	  UNREAD },
	/* push */
	{ "push, lease lost", 1, FAULT_STALE,
	  "!\t1:refs/heads/a\t[rejected] (stale info)\n"
	  "!\t1:refs/heads/b\t[rejected] (atomic push failed)\n"
	  "fatal: the remote end hung up unexpectedly\n"
	  "error: failed to push some refs to 'x'\n" },
	{ "push, not forward", 1, FAULT_STALE,
	  "!\t1:refs/heads/a\t[rejected] (non-fast-forward)\n"
	  "hint: Updates were rejected\n" },
	{ "push, raced", 1, FAULT_STALE,
	  "remote: error: cannot lock ref 'refs/heads/a': is at 1 but expected "
	  "2\n!\t1:refs/heads/a\t[remote rejected] (atomic transaction "
	  "failed)\n" },
	{ "push, hook", 1, FAULT_REJECTED,
	  "!\t1:refs/heads/a\t[remote rejected] (pre-receive hook declined)\n"
	  "remote: no thanks\nerror: failed to push some refs to 'x'\n" },
	{ "push, denied there", 1, FAULT_REJECTED,
	  "!\t1:refs/heads/a\t[remote rejected] (non-fast-forward)\n"
	  "remote: error: denying non-fast-forward refs/heads/a\n" },
	{ "push, no options there", 128, FAULT_REJECTED,
	  "fatal: the receiving end does not support push options\n"
	  "fatal: the remote end hung up unexpectedly\n" },
	{ "push, disk full there", 1, FAULT_NO_SPACE,
	  "remote: fatal: write error: No space left on device\n"
	  "!\t1:refs/heads/a\t[remote rejected] (unpacker error)\n" },
	{ "fetch, disk full here", 128, FAULT_NO_SPACE,
	  "fatal: unable to write loose object file: No space left on device\n"
	  "fatal: unpack-objects failed\n" },
	/* ours */
	{ "bound met", CHILD_TIMEOUT, FAULT_TIMEOUT, "" },
	{ "did not start", -1, FAULT_LOCAL, "" },
	{ "killed", 137, FAULT_LOCAL, "" },
	{ "too many words", CHILD_TOO_LONG, FAULT_OTHER, "remote: aaaa\n" },
	{ "no words", 1, FAULT_OTHER, "" },
	/* The upstream's own words do not choose a kind of ours. */
	{ "upstream speaks like ssh", 1, FAULT_OTHER,
	  "remote: git@h: Permission denied (publickey).\n"
	  "remote: Host key verification failed.\n" },
	{ "upstream speaks like our helper", 1, FAULT_REJECTED,
	  "remote: git-gate-ssh: error: x (attempt 3 of 3)\n"
	  "!\t1:refs/heads/a\t[remote rejected] (hook declined)\n" },
};

static void judges_real_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		enum fault_kind got = fault_judge(cases[i].status,
						  cases[i].words,
						  strlen(cases[i].words));

		if (got != cases[i].kind)
			fail_msg("%s: %s, not %s", cases[i].what,
				 fault_text(got)->code,
				 fault_text(cases[i].kind)->code);
	}
}

static void every_kind_has_its_text(void **state)
{
	(void)state;
	for (int i = 0; i < FAULT_KINDS; i++) {
		const struct fault_text *t = fault_text((enum fault_kind)i);

		assert_non_null(t->code);
		assert_non_null(t->sentence);
		assert_non_null(t->remedy);
		assert_int_equal(strcspn(t->code, " \n"), strlen(t->code));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(
				t->code, fault_text((enum fault_kind)k)->code);
	}
	assert_ptr_equal(fault_text((enum fault_kind)99),
			 fault_text(FAULT_OTHER));
}

static void words_fit_one_line(void **state)
{
	struct buf out = BUF_INIT;
	static const char said[] = "hint: try\nremote: no thanks    \r\n\n"
				   "fatal: it failed\n" UNREAD;
	char many[5000];

	(void)state;
	fault_words(said, sizeof(said) - 1, &out);
	assert_string_equal(out.data, "remote: no thanks; fatal: it failed; "
				      "fatal: Could not read from remote "
				      "repository.");
	buf_reset(&out);
	memset(many, 'x', sizeof(many));
	for (size_t i = 99; i < sizeof(many); i += 100)
		many[i] = '\n';
	fault_words(many, sizeof(many), &out);
	assert_in_range(out.len, 500, 720);
	buf_reset(&out);
	fault_words("", 0, &out);
	assert_string_equal(out.data, "no words");
	buf_clear(&out);
}

static void bytes_of_any_kind(void **state)
{
	static const char words[] = "a\0b\xff\nNo space left on device";

	(void)state;
	assert_int_equal(fault_judge(1, words, sizeof(words) - 1),
			 FAULT_NO_SPACE);
	assert_int_equal(fault_judge(1, NULL, 0), FAULT_OTHER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_real_words),
		cmocka_unit_test(every_kind_has_its_text),
		cmocka_unit_test(words_fit_one_line),
		cmocka_unit_test(bytes_of_any_kind),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
