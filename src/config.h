#ifndef CONFIG_H
#define CONFIG_H

#include <stddef.h>
#include <stdint.h>

/*
 * The operator's configuration, git-gate.conf(5): loaded once, const after.
 * Times are milliseconds, sizes bytes. Strings belong to the struct.
 */

/* Operations on a repository; sets of them are or-ed. */
enum op {
	OP_FETCH = 1 << 0,
	OP_CREATE = 1 << 1, /* a reference that did not exist */
	OP_UPDATE = 1 << 2, /* fast-forward */
	OP_REWIND = 1 << 3, /* not a fast-forward, or a tag that moves */
	OP_DELETE = 1 << 4,
};
#define OP_PUSH (OP_CREATE | OP_UPDATE)
#define OP_WRITE (OP_PUSH | OP_REWIND | OP_DELETE)
#define OP_ALL (OP_FETCH | OP_WRITE)

#define CONFIG_KEYS_MAX 80

/* [upstream "NAME"]: a server, and how to reach it. Unset strings are NULL. */
struct config_upstream {
	char *name;
	int line;
	int lines[CONFIG_KEYS_MAX]; /* of its keys, for messages */
	char *url; /* ends in '/'; a repository's name and ".git" follow */
	char *suffix; /* what follows the name; ".git" unless configured */
	/* ssh */
	char *identity_file;
	char *certificate_file;
	char *agent_socket;
	char *known_hosts;
	int64_t persist_ms; /* a shared connection, idle; 0: not shared */
	/* http and https */
	char *username;
	char *token_file;
	char *token_command; /* an absolute path; run without arguments */
	char *ca_file;
	char *client_cert;
	char *client_key;
	char *proxy;
	int follow_redirects; /* git's "initial"; else a redirection fails */
	int atomic_prefer;    /* what takes nothing atomic gets several at once */
	int ignore_case; /* names are lower-cased once, at the door */
};

enum fresh {
	FRESH_STRICT,  /* ask the upstream at every advertisement */
	FRESH_BOUND,   /* ask when the last answer is older than a bound */
	FRESH_OFFLINE, /* ask, and serve what there is when it cannot be asked */
};

/* [repo "PATTERN"]: the first whose pattern matches a name decides. */
struct config_repo {
	char *pattern;
	int line;
	const struct config_upstream *upstream; /* NULL when hosted */
	char *hosted; /* a directory of bare repositories, NAME.git */
	int hosted_line;
	enum fresh fresh;
	int64_t fresh_ms; /* for FRESH_BOUND */
	char *push_options; /* globs, blanks between; NULL: none may be sent */
};

/* One line of [access]: the first that matches decides. */
struct config_rule {
	int line;
	int allow;
	unsigned ops; /* enum op, or-ed */
	char *who;    /* glob over REMOTE_USER, "-" standing for none */
	char *repo;   /* glob over the normalised name */
	char *ref;    /* glob over the full reference name; "*" if not given */
	char *text;   /* "allow = ..." as written, for people */
};

struct config {
	int lines[CONFIG_KEYS_MAX]; /* where keys were given; for messages */
	char *name; /* of the file, for messages; absolute */
	char *file; /* what children read: it, or our private copy of it */
	int is_copy;
	uint64_t number; /* of this loading, in this process; never twice */

	/* [gate] */
	char *state;   /* private directory: sockets, and defaults for the next */
	char *mirrors; /* STATE/mirrors */
	char *spool;   /* STATE/spool: directory of unlinked temporary files */
	char *git;     /* absolute path of git */
	char *ssh;     /* absolute path of ssh */
	char *hooks;   /* directory of our pre-receive and proc-receive */
	char *libexec; /* directory of git-gate-ssh and git-gate-askpass */
	unsigned workers; /* requests held at once, those that wait included */

	/* [session]: every wait has a bound */
	int64_t read_ms;    /* the client sends nothing */
	int64_t write_ms;   /* the client takes nothing */
	int64_t backend_ms; /* the backend says nothing, input complete */
	int64_t total_ms;   /* one session in all */
	int64_t queue_ms;   /* waiting for a place, or for a mirror */
	int64_t refresh_ms; /* asking the upstream, first clone included */
	int64_t forward_ms; /* pushing to the upstream */
	int64_t stop_ms;    /* at SIGTERM: what runs may finish */
	uint64_t max_body;  /* largest body of a push */
	uint64_t max_request; /* largest of a fetch, inflated */
	/* places: requests whose backend may run, and who waits for one */
	unsigned max_sessions, max_per_client, max_per_repo, max_waiting;

	/* [backend]: limits of each process, 0 for none: setrlimit(2) */
	uint64_t memory;    /* allocated; maps of packs are not counted */
	int64_t cpu_ms;
	uint64_t file_size;
	unsigned processes; /* of our user, in all */
	unsigned files;     /* open ones */
	unsigned threads;   /* that git packs with; 0: by the processors */
	uint64_t adverts;   /* bytes of its answers that are kept; 0: none */
	uint64_t packs;     /* bytes of packs that are kept on disk; 0: none */
	int64_t packs_ms;   /* kept for so long after the last use */
	unsigned cores;     /* processors that are ours; preflight.c, else 0 */

	/* [push]: what could not be delivered may be kept for the operator */
	char *park;         /* directory of bundles, or NULL: not kept */
	unsigned park_max;  /* pushes kept there at most */
	uint64_t park_size; /* bytes kept there at most */

	/* [maintenance] of mirrors */
	int maintain;            /* repack them at all */
	int64_t maintain_ms;     /* quiet for so long before it begins */
	unsigned maintain_packs; /* packs from which on it is worth it */
	int64_t care_ms;         /* one command of it */
	int64_t unused_ms;       /* removed when unused for so long; 0: never */
	uint64_t mirrors_size;   /* bytes of all mirrors; 0: no bound */

	/* [scan] */
	char *rules;         /* rule file, or NULL for the built-in rules */
	uint64_t max_object; /* a larger object cannot be scanned: refused */
	int64_t scan_ms;     /* all of one push */
	unsigned report;     /* findings shown to the client */
	unsigned scan_threads; /* 0: by the processors */
	uint64_t scan_memory;  /* bytes that a scan may take */
	unsigned decode_depth; /* encodings inside encodings; 0: none read */
	unsigned archive_depth; /* archives inside archives; 0: none read */
	int scan_note;       /* what an archive hides is noted, not refused */
	char *exceptions;    /* file of accepted findings, or NULL */
	char *ignore;        /* a .gitleaksignore of the operator's, or NULL */

	struct config_upstream *upstreams;
	size_t nr_upstreams;
	struct config_repo *repos;
	size_t nr_repos;
	struct config_rule *rules_access;
	size_t nr_rules_access;
};

/*
 * Read and check the file. Every error is logged as "FILE:LINE: what; remedy",
 * all of them, not the first only: syntax, unknown sections and keys, values,
 * duplicates, a file that others can write or replace, references to what is
 * not there.
 * Returns a configuration for config_free, or NULL.
 */
struct config *config_load(const char *file);

/*
 * Check what the configuration names outside itself: directories exist and
 * can be written, programs can be executed, key, token and known_hosts files
 * exist and the secret ones are not readable by others; what decides or runs
 * cannot be written by others. Warns of a well-known upstream that needs
 * ignoreCase. With make, state, mirrors and spool are made where they are
 * missing, mode 0700; without, who checks may be another user than who will
 * run. Logged as above. Returns 0 or -1.
 */
int config_check_paths(const struct config *c, int make);

void config_free(struct config *c);

/*
 * Sockets of shared connections (share.h) are in this directory below STATE,
 * and have names of so many bytes, with what ssh appends while it makes one.
 */
#define CONFIG_SHARE_DIR "/ssh"
#define CONFIG_SHARE_NAME_MAX (16 + 17)

/*
 * With one of these in a program's path git has a shell find it: run-command.c
 * of git.
 */
#define CONFIG_SHELL_BYTES "|&;<>()$`\\\"' \t\n*?[#~=%"

/* Where the file is looked for when the command line does not say. */
#define CONFIG_DEFAULT SYSCONFDIR "/git-gate/git-gate.conf"

/*
 * The [repo] for a name, or NULL. Where its upstream ignores case, name is
 * lower-cased in place first; this is done once, before policy sees it.
 */
const struct config_repo *config_repo(const struct config *c, char *name);

/* The same search without the change: for a name that has been through it. */
const struct config_repo *config_find(const struct config *c,
				      const char *name);

const struct config_upstream *config_upstream(const struct config *c,
					      const char *name);

/* What it is offered, for the log: " (identityFile PATH)", say; or nothing. */
struct buf;
void config_offered(const struct config_upstream *u, struct buf *out);

/* The line of one of its keys; of its section, when that is not given. */
int config_upstream_line(const struct config_upstream *u, const char *key);

/* The line of [push] park. */
int config_park_line(const struct config *c);

/* Is the upstream's URL of this scheme ("ssh", "https", ...)? */
int config_scheme_is(const struct config_upstream *u, const char *scheme);

#endif
