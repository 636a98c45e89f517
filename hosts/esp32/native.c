/* What the SDK's modules leave out of the chip: the generator, why it was reset, and the state of the image that runs. The UART and
 * the S0 input are in meter-serial.c and pulses.c. ESP-IDF v6.0. */
#include "xsmc.h"
#include "mc.xs.h"

#include "app_update/include/esp_ota_ops.h"
#include "esp_attr.h"
#include "esp_random.h"
#include "esp_system.h"

#include <string.h>

enum { RANDOM_BYTES_MAX = 4096, REASON_BYTES = 256, WRITTEN = 0x6c656674 };

/* Why this run ends, for the next one: kept through any reset but power on, and costs no flash. */
static RTC_NOINIT_ATTR struct {
	uint32_t written;
	uint32_t resets;
	char reason[REASON_BYTES];
} gLeft;

/* True random while the radio is on, and seeded with it before (ESP-IDF, Random Number Generation). */
void chip_random(xsMachine *the)
{
	xsIntegerValue length = xsmcToInteger(xsArg(0));
	if (length < 0 || length > RANDOM_BYTES_MAX) xsRangeError("too many random bytes at once");
	xsmcSetArrayBuffer(xsResult, NULL, length);
	esp_fill_random(xsmcToArrayBuffer(xsResult), length);
}

void chip_restart(xsMachine *the)
{
	(void)the;
	esp_restart();
}

void chip_resetReason(xsMachine *the)
{
	xsmcSetInteger(xsResult, esp_reset_reason());
}

/* Text that the next run finds: printable ASCII, for there is no room for more, and nothing else must come out of this memory. */
void chip_leaveReason(xsMachine *the)
{
	const char *text = xsmcToString(xsArg(0));
	int length = 0;
	for (; text[length] != 0 && length < REASON_BYTES - 1; length += 1)
		gLeft.reason[length] = text[length] < 0x20 || text[length] > 0x7e ? '?' : text[length];
	gLeft.reason[length] = 0;
}

/* What the run before left, once; undefined where it left nothing. Counts the resets since power on. */
void chip_leftReason(xsMachine *the)
{
	esp_reset_reason_t reset = esp_reset_reason();
	/* After power on the memory holds anything. */
	if (gLeft.written != WRITTEN || reset == ESP_RST_POWERON || reset == ESP_RST_BROWNOUT) memset(&gLeft, 0, sizeof gLeft);
	else gLeft.resets += 1;
	gLeft.written = WRITTEN;
	gLeft.reason[REASON_BYTES - 1] = 0;
	if (gLeft.reason[0] != 0) xsmcSetString(xsResult, gLeft.reason);
	gLeft.reason[0] = 0;
}

void chip_resets(xsMachine *the)
{
	xsmcSetNumber(xsResult, gLeft.resets);
}

/* The image that is being written into the slot that does not run. */
static esp_ota_handle_t gImage;
static const esp_partition_t *gSlot;

void chip_slotBytes(xsMachine *the)
{
	const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
	xsmcSetInteger(xsResult, slot == NULL ? 0 : (xsIntegerValue)slot->size);
}

static void abandon(void)
{
	if (gSlot != NULL) esp_ota_abort(gImage);
	gSlot = NULL;
}

void chip_beginImage(xsMachine *the)
{
	const esp_partition_t *slot = esp_ota_get_next_update_partition(NULL);
	abandon();
	if (slot == NULL) xsUnknownError("there is no second slot");
	if (esp_ota_begin(slot, OTA_WITH_SEQUENTIAL_WRITES, &gImage) != ESP_OK) xsUnknownError("slot cannot be written");
	gSlot = slot;
}

void chip_writeImage(xsMachine *the)
{
	void *bytes;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(0), &bytes, &length);
	if (gSlot == NULL) xsUnknownError("no image is being written");
	if (esp_ota_write(gImage, bytes, length) != ESP_OK) xsUnknownError("slot cannot be written");
}

void chip_abandonImage(xsMachine *the)
{
	(void)the;
	abandon();
}

void chip_activateImage(xsMachine *the)
{
	const esp_partition_t *slot = gSlot;
	if (slot == NULL) xsUnknownError("no image is being written");
	gSlot = NULL;
	/* Frees the handle whatever it finds. */
	if (esp_ota_end(gImage) != ESP_OK) xsUnknownError("chip refuses the image");
	if (esp_ota_set_boot_partition(slot) != ESP_OK) xsUnknownError("slot cannot be made the one to start");
}

/* Whether this image is on trial: the bootloader goes back to the one before unless it is kept. */
void chip_isOnTrial(xsMachine *the)
{
	esp_ota_img_states_t state;
	int known = esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK;
	xsmcSetBoolean(xsResult, known && state == ESP_OTA_IMG_PENDING_VERIFY);
}

void chip_keepImage(xsMachine *the)
{
	if (esp_ota_mark_app_valid_cancel_rollback() != ESP_OK) xsUnknownError("image cannot be kept");
}

void chip_dropImage(xsMachine *the)
{
	/* Does not return where there is an image to go back to. */
	if (esp_ota_mark_app_invalid_rollback_and_reboot() != ESP_OK) xsUnknownError("there is no image to go back to");
}
