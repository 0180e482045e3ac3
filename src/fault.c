/*
 * What git and ssh meant by their last words: takes an exit status and the
 * text, gives a kind of fault. A table of phrases, each of the program named
 * beside it (LC_ALL=C). Pure. No word of an upstream, after "remote: ", makes
 * a failure one that is tried again.
 */
#include "fault.h"

#include <signal.h>
#include <string.h>

#include "child.h"

/* Where a phrase counts. */
enum where {
	OWN,     /* words of our git and ssh only */
	ANYWHERE /* the upstream's, after "remote: ", too */
};

/*
 * The first row whose phrase occurs decides, so causes stand before their
 * consequences ("Could not read from remote repository" follows them all).
 */
static const struct {
	const char *phrase;
	enum fault_kind kind;
	enum where where;
} phrases[] = {
	/* git-gate-ssh, git-gate-askpass; before that it dials again */
	{ "(attempt 3 of 3)", FAULT_AGENT, OWN },
	{ "the SSH agent ended while", FAULT_AGENT, OWN },
	{ "git-gate-ssh: error: ", FAULT_LOCAL, OWN },
	{ "git-gate-askpass: error: [upstream \"", FAULT_TOKEN, OWN },
	{ "git-gate-askpass: error: ", FAULT_LOCAL, OWN },
	/* push, porcelain */
	{ "[rejected] (stale info)", FAULT_STALE, OWN },
	{ "[rejected] (fetch first)", FAULT_STALE, OWN },
	{ "[rejected] (non-fast-forward)", FAULT_STALE, OWN },
	{ "[rejected] (already exists)", FAULT_STALE, OWN },
	{ "remote ref does not exist", FAULT_STALE, OWN },
	/* any program that writes */
	{ "No space left on device", FAULT_NO_SPACE, ANYWHERE },
	{ "Disk quota exceeded", FAULT_NO_SPACE, ANYWHERE },
	/* receive-pack: two pushes at one moment; the loser reads this */
	{ " but expected ", FAULT_STALE, ANYWHERE },
	{ "[remote rejected]", FAULT_REJECTED, OWN },
	{ "[rejected]", FAULT_REJECTED, OWN },
	{ "[remote failure]", FAULT_REJECTED, OWN },
	{ "does not support push options", FAULT_REJECTED, OWN },
	{ "does not support --atomic push", FAULT_NOT_ATOMIC, OWN },
	/* ssh */
	{ "Host key verification failed", FAULT_HOST_KEY, OWN },
	{ "REMOTE HOST IDENTIFICATION HAS CHANGED", FAULT_HOST_KEY, OWN },
	{ "Could not resolve hostname", FAULT_UNREACHABLE, OWN },
	{ "ssh: connect to host", FAULT_UNREACHABLE, OWN },
	{ "kex_exchange_identification", FAULT_UNREACHABLE, OWN },
	{ "banner exchange", FAULT_UNREACHABLE, OWN },
	{ "Timeout, server", FAULT_UNREACHABLE, OWN },
	{ "Permission denied (", FAULT_AUTH, OWN },
	{ "Too many authentication failures", FAULT_AUTH, OWN },
	/* GnuTLS and OpenSSL, through libcurl */
	{ "server certificate verification failed", FAULT_HOST_KEY, OWN },
	{ "SSL certificate problem", FAULT_HOST_KEY, OWN },
	{ "certificate subject name", FAULT_HOST_KEY, OWN },
	{ "gnutls_handshake() failed", FAULT_UNREACHABLE, OWN },
	/* http */
	{ "Authentication failed for", FAULT_AUTH, OWN },
	{ "could not read Username", FAULT_AUTH, OWN },
	{ "could not read Password", FAULT_AUTH, OWN },
	{ "returned error: 401", FAULT_AUTH, OWN },
	{ "returned error: 407", FAULT_AUTH, OWN },
	{ "returned error: 403", FAULT_FORBIDDEN, OWN },
	{ "returned error: 404", FAULT_NOT_FOUND, OWN },
	{ "returned error: 410", FAULT_NOT_FOUND, OWN },
	{ "returned error: 413", FAULT_REJECTED, OWN },
	{ "returned error: 429", FAULT_UNREACHABLE, OWN },
	{ "returned error: 5", FAULT_UNREACHABLE, OWN },
	{ "returned error: 3", FAULT_MOVED, OWN }, /* a redirection */
	{ "unable to update url base from redirection", FAULT_MOVED, OWN },
	{ "Could not resolve host", FAULT_UNREACHABLE, OWN },
	{ "Failed to connect to", FAULT_UNREACHABLE, OWN },
	{ "Couldn't connect to server", FAULT_UNREACHABLE, OWN },
	{ "Operation too slow", FAULT_UNREACHABLE, OWN },
	{ "RPC failed", FAULT_UNREACHABLE, OWN },
	{ "is this a git repository?", FAULT_NOT_FOUND, OWN },
	/* git's own transport, and what servers say in its place */
	{ "does not appear to be a git repository", FAULT_NOT_FOUND, ANYWHERE },
	{ "access denied or repository not exported", FAULT_NOT_FOUND,
	  ANYWHERE },
	{ "Repository not found", FAULT_NOT_FOUND, ANYWHERE },
	{ "repository does not exist", FAULT_NOT_FOUND, ANYWHERE },
	{ "could not be found", FAULT_NOT_FOUND, ANYWHERE },
	{ "/' not found", FAULT_NOT_FOUND, OWN },
	{ "' not found", FAULT_NOT_FOUND, OWN },
	{ "unable to look up", FAULT_UNREACHABLE, OWN },
	{ "unable to connect to", FAULT_UNREACHABLE, OWN },
	{ "Operation not permitted", FAULT_LOCAL, OWN },
	/* GitHub, GitLab, Gitea, Gerrit, gitolite, Bitbucket: over ssh plain */
	{ "was moved to", FAULT_MOVED, ANYWHERE },
	{ "repository moved", FAULT_MOVED, ANYWHERE },
	{ " denied to ", FAULT_FORBIDDEN, ANYWHERE },
	{ "DENIED by ", FAULT_FORBIDDEN, ANYWHERE },
	{ "access denied", FAULT_FORBIDDEN, ANYWHERE },
	{ "Access denied", FAULT_FORBIDDEN, ANYWHERE },
	{ "Upload denied", FAULT_FORBIDDEN, ANYWHERE },
	{ "permission denied", FAULT_FORBIDDEN, ANYWHERE },
	{ "not allowed to ", FAULT_FORBIDDEN, ANYWHERE },
	{ "not permitted", FAULT_FORBIDDEN, ANYWHERE },
	{ "not authorized to ", FAULT_FORBIDDEN, ANYWHERE },
	{ "not granted", FAULT_FORBIDDEN, ANYWHERE },
	{ "not have write access", FAULT_FORBIDDEN, ANYWHERE },
	{ "marked as read only", FAULT_FORBIDDEN, ANYWHERE },
	{ " read-only", FAULT_FORBIDDEN, ANYWHERE }, /* archived */
	/* our own machine */
	{ "dubious ownership", FAULT_LOCAL, OWN },
	{ "transport '", FAULT_LOCAL, OWN }, /* "... not allowed" */
	{ "Unable to create '", FAULT_LOCAL, OWN },
	/* of git init; it leaves out why */
	{ "failed to write new configuration file", FAULT_LOCAL, OWN },
	/* caFile; clientCert, clientKey */
	{ "Problem with the SSL CA cert", FAULT_LOCAL, OWN },
	{ "error reading X.509 key or certificate", FAULT_LOCAL, OWN },
	{ "Permission denied", FAULT_LOCAL, OWN },
	{ "Read-only file system", FAULT_LOCAL, OWN },
	{ "not a git repository", FAULT_LOCAL, OWN },
	{ "cannot run ", FAULT_LOCAL, OWN },
	{ "cannot exec '", FAULT_LOCAL, OWN },
	{ "No user exists for uid", FAULT_LOCAL, OWN },
	{ "Out of memory", FAULT_LOCAL, OWN },
	/* last, since they follow on most of the above */
	{ "Connection refused", FAULT_UNREACHABLE, OWN },
	{ "Connection reset", FAULT_UNREACHABLE, OWN },
	{ "Connection timed out", FAULT_UNREACHABLE, OWN },
	{ "Connection closed by", FAULT_UNREACHABLE, OWN },
	{ "No route to host", FAULT_UNREACHABLE, OWN },
	{ "Network is unreachable", FAULT_UNREACHABLE, OWN },
	{ "Broken pipe", FAULT_UNREACHABLE, OWN },
	{ "closed by remote host", FAULT_UNREACHABLE, OWN },
	{ "Session open refused by peer", FAULT_UNREACHABLE, OWN },
	{ "Too many ", FAULT_UNREACHABLE, OWN },
	{ "ssh_dispatch_run_fatal", FAULT_UNREACHABLE, OWN },
	{ "Empty reply from server", FAULT_UNREACHABLE, OWN },
	{ "Recv failure", FAULT_UNREACHABLE, OWN },
	{ "Send failure", FAULT_UNREACHABLE, OWN },
	{ "GnuTLS recv error", FAULT_UNREACHABLE, OWN },
	{ "SSL_read", FAULT_UNREACHABLE, OWN },
	{ "SSL_connect", FAULT_UNREACHABLE, OWN },
	{ "timed out", FAULT_UNREACHABLE, OWN },
	{ "hung up unexpectedly", FAULT_UNREACHABLE, OWN },
	{ "hung up upon initial contact", FAULT_UNREACHABLE, OWN },
	{ "unexpected disconnect", FAULT_UNREACHABLE, OWN },
	{ "early EOF", FAULT_UNREACHABLE, OWN },
	/* alone: the other side has ended without a word */
	{ "Could not read from remote repository", FAULT_UNREACHABLE, OWN },
};
#define NR_PHRASES (sizeof(phrases) / sizeof(*phrases))

/*
 * How much of a line is our own git's or ssh's: nothing of a server's words
 * (an ERR packet's are a "remote error"), and of "! TAB FROM:REF TAB [remote
 * rejected] (REASON)" not the reason. A reference's name has no '['.
 */
static size_t own_length(const char *line, size_t n)
{
	static const char error[] = "fatal: remote error: ";
	static const char mark[] = "[remote ";
	const char *said, *reason;

	if (n >= 7 && !memcmp(line, "remote:", 7))
		return 0;
	if (n >= sizeof(error) - 1 && !memcmp(line, error, sizeof(error) - 1))
		return sizeof(error) - 1;
	if (n < 2 || memcmp(line, "!\t", 2) != 0)
		return n;
	said = memmem(line, n, mark, sizeof(mark) - 1);
	reason = said ? memchr(said, '(', n - (size_t)(said - line)) : NULL;
	return reason ? (size_t)(reason - line) : n;
}

/* The first row below limit that this line speaks of, or limit. */
static size_t judge_line(const char *line, size_t n, size_t limit)
{
	size_t own = own_length(line, n);

	for (size_t i = 0; i < limit; i++)
		if (memmem(line, phrases[i].where == OWN ? own : n,
			   phrases[i].phrase, strlen(phrases[i].phrase)))
			return i;
	return limit;
}

/* Length of the line at s, of at most n bytes, without its end. */
static size_t line_length(const char *s, size_t n)
{
	size_t len = 0;

	while (len < n && s[len] != '\n' && s[len] != '\r')
		len++;
	return len;
}

enum fault_kind fault_judge(int exit_status, const char *words, size_t n)
{
	size_t row = NR_PHRASES;

	if (exit_status == 0)
		return FAULT_NONE;
	if (exit_status == CHILD_TIMEOUT)
		return FAULT_TIMEOUT;
	if (exit_status < 0)
		return FAULT_LOCAL;
	for (size_t at = 0; at < n;) {
		size_t len = line_length(words + at, n - at);

		row = judge_line(words + at, len, row);
		at += len + 1;
	}
	if (row < NR_PHRASES)
		return phrases[row].kind;
	if (exit_status == CHILD_TOO_LONG)
		return FAULT_OTHER;
	/* git push dies of it when the other side has gone */
	if (exit_status == 128 + SIGPIPE)
		return FAULT_UNREACHABLE;
	/* Killed (128 + N), and git itself ends with 128 and with 129. */
	return exit_status > 129 && exit_status < 192 ? FAULT_LOCAL :
							FAULT_OTHER;
}

/*
 * git reads what the upstream has before it sends: with these the connection
 * had not come so far (connect.c, remote-curl.c, send-pack.c, askpass).
 */
int fault_is_early(const char *words, size_t n)
{
	static const char *const openings[] = {
		"fatal: Could not read from remote repository",
		"fatal: the remote end hung up upon initial contact",
		"fatal: unable to access '",
		"fatal: Authentication failed for '",
		"fatal: invalid server response",
		"fatal: could not read ",
		"fatal: repository '",
		"fatal: unable to connect to ",
		"fatal: unable to look up ",
		"fatal: the receiving end does not support ",
		"fatal: transport '",
	};

	for (size_t at = 0; at < n;) {
		size_t len = line_length(words + at, n - at);

		for (size_t i = 0; i < sizeof(openings) / sizeof(*openings);
		     i++)
			if (len >= strlen(openings[i]) &&
			    !memcmp(words + at, openings[i],
				    strlen(openings[i])))
				return 1;
		at += len + 1;
	}
	return 0;
}
