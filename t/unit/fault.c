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

#define NO_TOKEN                                                               \
	"git-gate-askpass: error: [upstream \"u\"] tokenCommand /m (/c:9) "     \
	"ended with status 3: no vault\n"                                      \
	"error: unable to read askpass response from '/x/git-gate-askpass'\n"  \
	"fatal: could not read Password for 'https://git@h': terminal "        \
	"prompts disabled\n"

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
	{ "http, a tokenCommand that fails", 128, FAULT_TOKEN, NO_TOKEN },
	{ "http, our helper", 128, FAULT_LOCAL,
	  "git-gate-askpass: error: /etc/g.conf:3: unknown key\n"
	  "error: unable to read askpass response from 'x'\n" },
	{ "http, no token", 128, FAULT_AUTH,
	  "error: unable to read askpass response from 'x'\nfatal: could not "
	  "read Password for 'https://git@h': terminal prompts disabled\n" },
	{ "http, 401", 128, FAULT_AUTH,
	  "remote: nope\nfatal: Authentication failed for 'https://h/x.git/'\n" },
	{ "http, 403", 128, FAULT_FORBIDDEN,
	  "remote: nope\nfatal: unable to access 'https://h/x.git/': The "
	  "requested URL returned error: 403\n" },
	{ "http, 404", 128, FAULT_NOT_FOUND,
	  "remote: nope\nfatal: repository 'https://h/x.git/' not found\n" },
	{ "http, 500", 128, FAULT_UNREACHABLE,
	  "fatal: unable to access 'https://h/x.git/': The requested URL "
	  "returned error: 500\n" },
	{ "http, redirection", 128, FAULT_MOVED,
	  "fatal: unable to access 'https://h/x.git/': The requested URL "
	  "returned error: 302\n" },
	{ "http, too many requests", 128, FAULT_UNREACHABLE,
	  "remote: slow down\nfatal: unable to access 'https://h/x.git/': The "
	  "requested URL returned error: 429\n" },
	{ "http, cut in the answer", 1, FAULT_UNREACHABLE,
	  "error: RPC failed; HTTP 502 curl 22 The requested URL returned "
	  "error: 502\nsend-pack: unexpected disconnect while reading sideband "
	  "packet\nfatal: the remote end hung up unexpectedly\n"
	  "Everything up-to-date\n" },
	{ "http, forbidden at the push itself", 1, FAULT_FORBIDDEN,
	  "error: RPC failed; HTTP 403 curl 22 The requested URL returned "
	  "error: 403\nfatal: the remote end hung up unexpectedly\n" },
	{ "http, too large", 1, FAULT_REJECTED,
	  "error: RPC failed; HTTP 413 curl 22 The requested URL returned "
	  "error: 413\nfatal: the remote end hung up unexpectedly\n" },
	{ "http, empty answer", 128, FAULT_UNREACHABLE,
	  "fatal: unable to access 'http://h/x.git/': Empty reply from server\n"
	},
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
	/* what servers say of accounts, over ssh plain and over http marked */
	{ "GitHub over ssh, no access", 128, FAULT_FORBIDDEN,
	  "ERROR: Permission to o/r.git denied to robot.\n" UNREAD },
	{ "GitHub over https, no access", 128, FAULT_FORBIDDEN,
	  "remote: Permission to o/r.git denied to robot.\nfatal: unable to "
	  "access 'https://h/o/r.git/': The requested URL returned error: 403\n"
	},
	{ "GitHub, archived", 128, FAULT_FORBIDDEN,
	  "ERROR: This repository was archived so it is read-only.\n" UNREAD },
	{ "GitHub, read-only key", 128, FAULT_FORBIDDEN,
	  "ERROR: The key you are authenticating with has been marked as read "
	  "only.\n" UNREAD },
	{ "GitLab over ssh, no access", 128, FAULT_FORBIDDEN,
	  "remote: \nremote: ERROR: You are not allowed to push code to this "
	  "project.\nremote: \n" UNREAD },
	{ "GitLab, missing or private", 128, FAULT_NOT_FOUND,
	  "remote: ERROR: The project you were looking for could not be found "
	  "or you don't have permission to view it.\n" UNREAD },
	{ "GitLab, moved", 128, FAULT_MOVED,
	  "remote: Project 'a/b' was moved to 'a/c'.\nremote: Please update "
	  "your Git remote:\n" UNREAD },
	{ "Gitea, no access", 128, FAULT_FORBIDDEN,
	  "Gitea: User: 2:robot with Key: 1:k is not authorized to write to "
	  "o/r.\n" UNREAD },
	{ "gitolite, no access", 128, FAULT_FORBIDDEN,
	  "FATAL: W any a robot DENIED by fallthru\n" UNREAD },
	{ "Bitbucket, missing", 128, FAULT_NOT_FOUND,
	  "conq: repository does not exist.\n" UNREAD },
	{ "ssh, sessions used up", 128, FAULT_UNREACHABLE,
	  "mux_client_request_session: session request failed: Session open "
	  "refused by peer\n" UNREAD },
	{ "ssh, cut off by the server", 128, FAULT_UNREACHABLE,
	  "Connection to h closed by remote host.\nfatal: the remote end hung "
	  "up unexpectedly\n" },
	/* push */
	{ "push, several and nothing atomic there", 128, FAULT_NOT_ATOMIC,
	  "fatal: the receiving end does not support --atomic push\n"
	  "fatal: the remote end hung up unexpectedly\n" },
	{ "push, a protected branch", 1, FAULT_REJECTED,
	  "remote: GitLab: You are not allowed to push code to protected "
	  "branches on this project.\n"
	  "!\t1:refs/heads/a\t[remote rejected] (pre-receive hook declined)\n"
	  "error: failed to push some refs to 'x'\n" },
	{ "push, unpacked in vain there", 1, FAULT_REJECTED,
	  "error: remote unpack failed: unpack-objects abnormal exit\n"
	  "!\t1:refs/heads/a\t[remote rejected] (unpacker error)\n" },
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
	{ "disk full here, as git init tells it", 128, FAULT_LOCAL,
	  "error: failed to write new configuration file /m/a.git/config.lock\n"
	  "fatal: could not set 'core.filemode' to 'true'\n" },
	{ "https, no caFile", 128, FAULT_LOCAL,
	  "fatal: unable to access 'https://h/a.git/': Problem with the SSL CA "
	  "cert (path? access rights?)\n" },
	{ "https, no clientCert", 128, FAULT_LOCAL,
	  "fatal: unable to access 'https://h/a.git/': error reading X.509 key "
	  "or certificate file\n" },
	{ "bound met", CHILD_TIMEOUT, FAULT_TIMEOUT, "" },
	{ "did not start", -1, FAULT_LOCAL, "" },
	{ "killed", 137, FAULT_LOCAL, "" },
	{ "the reader of what it writes has gone", 141, FAULT_UNREACHABLE, "" },
	{ "too many words", CHILD_TOO_LONG, FAULT_OTHER, "remote: aaaa\n" },
	{ "no words", 1, FAULT_OTHER, "" },
	/* The upstream's own words do not choose a kind of ours. */
	{ "upstream speaks like ssh", 1, FAULT_OTHER,
	  "remote: git@h: Permission denied (publickey).\n"
	  "remote: Host key verification failed.\n" },
	{ "upstream speaks like our helper", 1, FAULT_REJECTED,
	  "remote: git-gate-ssh: error: x (attempt 3 of 3)\n"
	  "!\t1:refs/heads/a\t[remote rejected] (hook declined)\n" },
	{ "its reason does", 1, FAULT_REJECTED,
	  "!\t1:refs/heads/a\t[remote rejected] (git-gate-ssh: error: x)\n"
	  "!\t1:refs/heads/b\t[remote failure] ((attempt 3 of 3))\n" },
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
	static const char dials[] =
		"git-gate-ssh: warning: /a: the SSH agent does not answer: "
		"Gone (attempt 1 of 3)\n"
		"git-gate-ssh: warning: /a: the SSH agent does not answer: "
		"Gone (attempt 2 of 3)\n"
		"git-gate-ssh: warning: /a: the SSH agent has no key: None "
		"(attempt 3 of 3)\n" UNREAD;
	static const char no_token[] = NO_TOKEN;
	char many[5000];

	(void)state;
	fault_words(said, sizeof(said) - 1, &out);
	assert_string_equal(out.data, "remote: no thanks; fatal: it failed");
	buf_reset(&out);
	fault_words(UNREAD, sizeof(UNREAD) - 1, &out);
	assert_string_equal(out.data, "fatal: Could not read from remote "
				      "repository.");
	buf_reset(&out);
	fault_words(dials, sizeof(dials) - 1, &out);
	assert_string_equal(out.data, "/a: the SSH agent does not answer: Gone "
				      "(attempt 1 of 3), (attempt 2 of 3); /a: "
				      "the SSH agent has no key: None (attempt "
				      "3 of 3)");
	buf_reset(&out);
	fault_words(no_token, sizeof(no_token) - 1, &out);
	assert_string_equal(out.data, "[upstream \"u\"] tokenCommand /m (/c:9)"
				      " ended with status 3: no vault");
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

/* Each row's words once more, as an upstream's hook would say them. */
static void an_upstream_asks_for_no_second_try(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf said = BUF_INIT;
		enum fault_kind kind;

		buf_adds(&said, "remote: ");
		for (const char *p = cases[i].words; *p; p++) {
			buf_addc(&said, *p);
			if (*p == '\n')
				buf_adds(&said, "remote: ");
		}
		kind = fault_judge(1, said.data, said.len);
		if (kind == FAULT_NONE || kind == FAULT_UNREACHABLE ||
		    kind == FAULT_AGENT || kind == FAULT_AUTH ||
		    kind == FAULT_TOKEN ||
		    fault_is_early(said.data, said.len))
			fail_msg("%s, said by an upstream: %s", cases[i].what,
				 fault_text(kind)->code);
		buf_clear(&said);
	}
}

static void early_is_before_the_push(void **state)
{
	static const char *const early[] = {
		"ssh: connect to host h port 22: Connection refused\n" UNREAD,
		"x\nfatal: the remote end hung up upon initial contact\n",
		"fatal: unable to access 'https://h/x/': Empty reply\n",
		"fatal: the receiving end does not support --atomic push\n"
		"fatal: the remote end hung up unexpectedly\n",
	};
	static const char *const late[] = {
		"",
		"fatal: the remote end hung up unexpectedly\n",
		"error: RPC failed; HTTP 502 curl 22 The requested URL\n",
		"remote: fatal: Could not read from remote repository.\n",
		"fatal: sha1 file '<stdout>' write error: Broken pipe\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(early) / sizeof(*early); i++)
		assert_true(fault_is_early(early[i], strlen(early[i])));
	for (size_t i = 0; i < sizeof(late) / sizeof(*late); i++)
		assert_false(fault_is_early(late[i], strlen(late[i])));
	assert_false(fault_is_early(NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_real_words),
		cmocka_unit_test(every_kind_has_its_text),
		cmocka_unit_test(words_fit_one_line),
		cmocka_unit_test(bytes_of_any_kind),
		cmocka_unit_test(an_upstream_asks_for_no_second_try),
		cmocka_unit_test(early_is_before_the_push),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
