/* The bootloader of the two slots that hosts/simulator/slots.ts keeps in a meter's folder: starts the image that is to boot, by the rules
 * of ESP-IDF's (App Rollback). A new image is started once, on trial; one that is still on trial at the next start, or that does not
 * start at all, goes back to the other. What a meter leaves the factory with is in slot 0 until an update is written there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARGUMENTS_MAX = 8 };

/* What slots/boot says: the slot, and whether it is new, on trial or valid. */
static int readBoot(char state[8])
{
	int slot = 0;
	FILE *file = fopen("slots/boot", "r");
	strcpy(state, "valid");
	if (file == NULL) return 0;
	if (fscanf(file, "%1d %7s", &slot, state) != 2 || slot < 0 || slot > 1) slot = 0;
	fclose(file);
	return slot;
}

static void writeBoot(int slot, const char *state)
{
	FILE *file = fopen("slots/~boot", "w");
	if (file == NULL || fprintf(file, "%d %s", slot, state) < 0 || fclose(file) != 0 || rename("slots/~boot", "slots/boot") != 0) {
		perror("slots/boot");
		exit(1);
	}
}

/* Returns only where the image does not start. */
static void start(int slot, const char *factory, char **settings)
{
	char number[2] = {(char)('0' + slot), 0};
	const char *path = slot == 0 ? "slots/0.image" : "slots/1.image";
	char *arguments[ARGUMENTS_MAX] = {(char *)path, "."};
	for (int index = 2; index < ARGUMENTS_MAX - 1 && settings[index - 2] != NULL; index += 1) arguments[index] = settings[index - 2];
	if (slot == 0 && access(path, F_OK) != 0) path = factory;
	else chmod(path, 0700);
	setenv("GRIDSEAL_SLOT", number, 1);
	execv(path, arguments);
	fprintf(stderr, "slot %d does not start: ", slot);
	perror(path);
}

int main(int count, char **arguments)
{
	char state[8], self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	char *factory = count < 3 ? NULL : realpath(arguments[1], NULL);
	if (length < 0 || factory == NULL || chdir(arguments[2]) != 0) {
		fprintf(stderr, "usage: %s IMAGE FOLDER [SETTINGS OF THE IMAGE]\n", arguments[0]);
		return 2;
	}
	self[length] = 0;
	/* An image that restarts the chip starts this anew. */
	setenv("GRIDSEAL_BOOTLOADER", self, 1);
	setenv("GRIDSEAL_FACTORY", factory, 1);
	mkdir("slots", 0700);
	int slot = readBoot(state);
	if (strcmp(state, "new") == 0) writeBoot(slot, "trial");
	else if (strcmp(state, "trial") == 0) writeBoot(slot = 1 - slot, "valid");
	start(slot, factory, arguments + 3);
	writeBoot(slot = 1 - slot, "valid");
	start(slot, factory, arguments + 3);
	return 1;
}
