/*
 * A session whose backend is given its body, perhaps before that was whole:
 * takes what its worker says of that, tells the hook that asks.
 */
#include "session.h"
#include "session-internal.h"

#include <string.h>

int session_ahead(struct session *s, const struct session_caps *caps)
{
	unsigned all = 0, client = 0, i;
	int may;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_top; i++) {
		const struct session *other = &session_entries[i];

		if (!other->in_use || !other->ahead)
			continue;
		all++;
		client += strcmp(other->client, s->client) == 0;
	}
	may = all < caps->all && client < caps->client;
	s->ahead = may;
	pthread_mutex_unlock(&session_lock);
	return may ? 0 : -1;
}

/* Is it one like this whose end the other waits for? */
static int waits_for(const struct session *other, const struct session *s)
{
	if (!other->in_use || other->place != PLACE_WAITING ||
	    other->pool != s->pool)
		return 0;
	switch ((enum session_cap)other->cap) {
	case CAP_CLIENT:
		return strcmp(other->client, s->client) == 0;
	case CAP_REPO:
		return strcmp(other->repo, s->repo) == 0;
	case CAP_NONE:
	case CAP_ALL:
		break;
	}
	return 1;
}

int session_is_wanted(const struct session *s)
{
	int wanted = 0;
	unsigned i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_top && !wanted; i++)
		wanted = waits_for(&session_entries[i], s);
	pthread_mutex_unlock(&session_lock);
	return wanted;
}

void session_whole(struct session *s)
{
	pthread_mutex_lock(&session_lock);
	s->ahead = 0;
	pthread_mutex_unlock(&session_lock);
}

static void set_unread(struct session *s, int unread)
{
	pthread_mutex_lock(&session_lock);
	s->unread = unread;
	pthread_mutex_unlock(&session_lock);
}

void session_reads(struct session *s)
{
	set_unread(s, 1);
}

void session_has_read(struct session *s)
{
	set_unread(s, 0);
}

int session_is_whole(const char *id)
{
	int rc = -1;
	unsigned i;

	pthread_mutex_lock(&session_lock);
	for (i = 0; i < session_top; i++)
		if (session_entries[i].in_use &&
		    strcmp(session_entries[i].id, id) == 0)
			rc = !session_entries[i].unread;
	pthread_mutex_unlock(&session_lock);
	return rc;
}
