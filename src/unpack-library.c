/*
 * The door to libarchive: loads it when it is first needed, from the system's
 * own directories, by the name of the interface it was built for. Gives its
 * functions, or nothing.
 */
#include "unpack-library.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

#include "log.h"

/* The interface of libarchive 3, which <archive.h> declares. */
#define SONAME "libarchive.so.13"

static struct unpack_library library;
static int loaded;

/* dlsym(3) gives an object's pointer: POSIX has it hold a function's. */
static int resolve(void *from, const char *name, void *field, size_t size)
{
	void *at = dlsym(from, name);

	if (!at) {
		log_error("%s has no %s; install Debian's libarchive13", SONAME,
			  name);
		return -1;
	}
	memcpy(field, &at, size);
	return 0;
}

static void load(void)
{
	void *from = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	int missing = 0;

	if (!from) {
		log_error("archives cannot be unpacked: %s; install Debian's "
			  "libarchive13", dlerror());
		return;
	}
#define UNPACK_RESOLVE(name) \
	missing |= resolve(from, "archive_" #name, &library.name, \
			   sizeof(library.name));
	UNPACK_FUNCTIONS(UNPACK_RESOLVE)
#undef UNPACK_RESOLVE
	loaded = !missing;
}

const struct unpack_library *unpack_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &library : NULL;
}
