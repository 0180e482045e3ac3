#ifndef CONTROL_H
#define CONTROL_H

struct buf;
struct config;

/*
 * Two sockets in STATE, which only the operator's user can open:
 *   control  stream: `git gate status` connects and reads the answer
 *   notes    datagrams from our hooks: stages, log and audit lines
 */
struct control {
	int stream_fd;
	int notes_fd;
	char *stream_path;
	char *notes_path;
};

#define CONTROL_INIT { .stream_fd = -1, .notes_fd = -1 }

/* The responder's side. Returns 0, or -1, logged. */
int control_open(struct control *ctl, const struct config *c);
/* Take a connection and give it the text; never blocks for long. */
void control_answer(struct control *ctl, const struct buf *text);
/* Take the waiting notes: log lines are logged, of stages the caller is told. */
typedef void control_stage(const char *id, const char *stage);
void control_take_notes(struct control *ctl, control_stage *stage);
void control_close(struct control *ctl);

/* The other side: print what the responder answers. Returns 0 or -1, logged. */
int control_ask(const struct config *c, struct buf *out);

/* From a hook: "stage ID scan", "stage ID forward", "log ID LEVEL text". */
void control_note(const struct config *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
