/* What the SDK's modules leave out of the chip: the generator, the UART's inversion and framing, the watchdog, the reset cause and the
 * state of the image that runs. ESP-IDF v6.0. */
#include "xsmc.h"
#include "mc.xs.h"

#include "driver/uart.h"
#include "esp_ota_ops.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_task_wdt.h"

enum { RANDOM_BYTES_MAX = 4096 };

/* True random while the radio is on, and seeded with it before (ESP-IDF, Random Number Generation). */
void chip_random(xsMachine *the)
{
	xsIntegerValue length = xsmcToInteger(xsArg(0));
	if (length < 0 || length > RANDOM_BYTES_MAX) xsRangeError("too many random bytes at once");
	xsmcSetArrayBuffer(xsResult, NULL, length);
	esp_fill_random(xsmcToArrayBuffer(xsResult), length);
}

/* port, inverted, seven data bits with even parity: what the SDK's serial sets stays but for these. */
void chip_frameSerial(xsMachine *the)
{
	uart_port_t port = (uart_port_t)xsmcToInteger(xsArg(0));
	int failed = uart_set_line_inverse(port, xsmcTest(xsArg(1)) ? UART_SIGNAL_RXD_INV : UART_SIGNAL_INV_DISABLE);
	if (xsmcTest(xsArg(2))) {
		failed |= uart_set_word_length(port, UART_DATA_7_BITS);
		failed |= uart_set_parity(port, UART_PARITY_EVEN);
	}
	if (failed) xsUnknownError("uart cannot be framed");
}

/* The task that runs XS must feed the watchdog within the time that sdkconfig sets, or the chip is reset. */
void chip_watch(xsMachine *the)
{
	if (esp_task_wdt_add(NULL) != ESP_OK) xsUnknownError("watchdog cannot be armed");
}

void chip_feed(xsMachine *the)
{
	(void)the;
	esp_task_wdt_reset();
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
