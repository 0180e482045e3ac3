#ifndef CMD_H
#define CMD_H

/*
 * Subcommands of git-gate. argv[0] is the subcommand's name; each returns the
 * exit status: 0 done, 1 refused (findings, denied, errors found), 2 usage,
 * 3 could not tell.
 */
enum { CMD_OK = 0, CMD_REFUSED = 1, CMD_USAGE = 2, CMD_UNKNOWN = 3 };

/* For log_error, with the configuration's name. */
#define CMD_NO_EXCEPTIONS \
	"%s: names no file of exceptions; add to [scan]: exceptions = " \
	SYSCONFDIR "/git-gate/exceptions, and have the gate reload"

int cmd_allow(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_deliver(int argc, char **argv);
int cmd_exceptions(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_rules(int argc, char **argv);
int cmd_scan(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_sync(int argc, char **argv);
int cmd_up(int argc, char **argv);

/*
 * Absolute path of a program installed with this one: in the directory of
 * /proc/self/exe when it is there (a build tree), else in installed_dir.
 * The caller frees it.
 */
char *cmd_sibling(const char *name, const char *installed_dir);

#endif
