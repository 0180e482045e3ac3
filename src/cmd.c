/*
 * What the subcommands share: finding the programs installed beside this one.
 */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"

char *cmd_sibling(const char *name, const char *installed_dir)
{
	struct buf path = BUF_INIT;
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n > 0) {
		self[n] = '\0';
		slash = strrchr(self, '/');
		if (slash) {
			buf_add(&path, self, (size_t)(slash - self) + 1);
			buf_adds(&path, name);
			if (!access(path.data, X_OK))
				return buf_take(&path);
		}
	}
	buf_reset(&path);
	buf_addf(&path, "%s/%s", installed_dir, name);
	return buf_take(&path);
}
