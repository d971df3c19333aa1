// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cuts and flips bytes of a trace in many ways and lets dmascope analyze each: it must end in time
 * with 0, 2 or 3, say one line if it fails, and leave a database only if it does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_SECONDS 5
#define PREFIX	      "dmascope: "

/** What is damaged, how, and what came of it. */
struct job {
	const char *program, *option; /* option: passed on to analyze, or NULL */
	const char *keep;	      /* where the first that fails is put, or NULL */
	uint8_t *data;
	size_t size;
	char trace[512], database[512], part[512], talk[512];
	unsigned long memory_mb; /* address space of the program; 0: not limited */
	unsigned int runs, accepted, failures;
	double worst_seconds;
};

static void die(const char *what)
{
	fprintf(stderr, "corrupt: %s: %s\n", what, strerror(errno));
	exit(4);
}

static void load(struct job *job, const char *path)
{
	FILE *stream = fopen(path, "rb");

	if (!stream || fseek(stream, 0, SEEK_END))
		die(path);
	job->size = (size_t)ftell(stream);
	job->data = malloc(job->size + 1);
	rewind(stream);
	if (!job->data || fread(job->data, 1, job->size, stream) != job->size)
		die(path);
	fclose(stream);
}

static void save(const struct job *job, const uint8_t *data, size_t size)
{
	FILE *stream = fopen(job->trace, "wb");

	if (!stream || fwrite(data, 1, size, stream) != size || fclose(stream))
		die(job->trace);
}

static void run_program(const struct job *job)
{
	struct rlimit memory = {job->memory_mb << 20, job->memory_mb << 20};
	int talk = open(job->talk, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	int nothing = open("/dev/null", O_RDWR);

	if (job->memory_mb)
		setrlimit(RLIMIT_AS, &memory);
	alarm(LIMIT_SECONDS); /* kills it: nothing in it catches SIGALRM */
	dup2(nothing, 0);
	dup2(nothing, 1);
	dup2(talk, 2);
	execl(job->program, job->program, "analyze", job->trace, "-o", job->database, job->option,
	      (char *)NULL);
	_exit(127);
}

/* What the program said: its size, and whether that is one line that begins as it should. */
static int said_one_line(const struct job *job, char *line, size_t bytes)
{
	FILE *stream = fopen(job->talk, "r");
	size_t size = stream ? fread(line, 1, bytes - 1, stream) : 0;
	char *end;

	if (stream)
		fclose(stream);
	line[size] = '\0';
	end = strchr(line, '\n');
	if (!end || strncmp(line, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	return end[1] == '\0';
}

/* NULL, or what is wrong with how it ended. */
static const char *judge(const struct job *job, int status)
{
	static char line[4096], text[4600];
	int has_database = !access(job->database, F_OK),
	    one_line = said_one_line(job, line, sizeof(line));

	if (WIFSIGNALED(status)) {
		snprintf(text, sizeof(text), "killed by signal %d%s; %.300s", WTERMSIG(status),
			 WTERMSIG(status) == SIGALRM ? " (too slow)" : "", line);
		return text;
	}
	snprintf(text, sizeof(text), "exit %d, \"%.600s\"", WEXITSTATUS(status), line);
	if (!access(job->part, F_OK))
		return strcat(text, ": a .part is left");
	switch (WEXITSTATUS(status)) {
	case 0:
		return has_database ? NULL : strcat(text, ": no database");
	case 2:
	case 3:
		if (!one_line)
			return strcat(text, ": not one line of ours");
		return has_database ? strcat(text, ": and a database") : NULL;
	}
	return text;
}

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Run on @data, which is what @how and @number made of the file. */
static void try(struct job *job, const uint8_t *data, size_t size, const char *how, uint64_t number)
{
	double begin = now_seconds(), took;
	const char *wrong;
	int status;
	pid_t child;

	save(job, data, size);
	unlink(job->database);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		run_program(job);
	if (waitpid(child, &status, 0) < 0)
		die("waitpid");
	took = now_seconds() - begin;
	if (took > job->worst_seconds)
		job->worst_seconds = took;
	job->runs++;
	job->accepted += WIFEXITED(status) && !WEXITSTATUS(status);
	wrong = judge(job, status);
	if (!wrong)
		return;
	if (!job->failures++) {
		printf("%s %" PRIu64 ": %s\n", how, number, wrong);
		if (job->keep)
			rename(job->trace, job->keep);
	}
	unlink(job->part);
}

static void cut(struct job *job, size_t from, size_t to, size_t step)
{
	for (size_t size = from; size < job->size && size < to; size += step)
		try(job, job->data, size, "cut at byte", size);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 11;
}

/* Half of the time within the first @head bytes, where the structure is. */
static void flip(struct job *job, uint64_t seed, unsigned int rounds, size_t head)
{
	uint8_t *copy = malloc(job->size);

	if (!copy)
		die("malloc");
	for (unsigned int round = 0; round < rounds; round++) {
		uint64_t state = (seed * 1000 + round) * 0x9fb21c651e98df25ull + 1;
		unsigned int n = (unsigned int)(next_random(&state) % 4) + 1;

		memcpy(copy, job->data, job->size);
		while (n--) {
			size_t window =
				next_random(&state) & 1 && head < job->size ? head : job->size;
			uint8_t *at = &copy[next_random(&state) % window];

			switch (next_random(&state) % 4) {
			case 0:
				*at = 0;
				break;
			case 1:
				*at = 0xff;
				break;
			default:
				*at ^= (uint8_t)(1u << next_random(&state) % 8);
			}
		}
		try(job, copy, job->size, "flips of round", round);
	}
	free(copy);
}

int main(int argc, char **argv)
{
	const char *memory = getenv("CORRUPT_MEMORY_MB");
	struct job job = {0};
	unsigned long numbers[3] = {0};

	if (argc < 8) {
		fputs("usage: corrupt DMASCOPE TRACE FOLDER cut FROM TO STEP [OPTION]\n"
		      "       corrupt DMASCOPE TRACE FOLDER flip SEED ROUNDS HEAD_BYTES [OPTION]\n",
		      stderr);
		return 2;
	}
	job.program = argv[1];
	job.keep = getenv("CORRUPT_KEEP");
	job.option = argc > 8 ? argv[8] : NULL;
	job.memory_mb = memory ? strtoul(memory, NULL, 10) : 0;
	load(&job, argv[2]);
	snprintf(job.trace, sizeof(job.trace), "%s/damaged.dat", argv[3]);
	snprintf(job.database, sizeof(job.database), "%s/damaged.db", argv[3]);
	snprintf(job.part, sizeof(job.part), "%s/damaged.db.part", argv[3]);
	snprintf(job.talk, sizeof(job.talk), "%s/damaged.err", argv[3]);
	for (int i = 0; i < 3; i++)
		numbers[i] = strtoul(argv[5 + i], NULL, 10);
	if (!strcmp(argv[4], "cut"))
		cut(&job, numbers[0], numbers[1], numbers[2] ? numbers[2] : 1);
	else
		flip(&job, numbers[0], (unsigned int)numbers[1], numbers[2]);
	printf("%u runs, %u accepted, slowest %.2f s\n", job.runs, job.accepted, job.worst_seconds);
	free(job.data);
	return job.failures || !job.runs ? 1 : 0;
}
