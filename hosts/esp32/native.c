/* What the SDK's modules leave out of the chip: the generator, the UART's inversion and framing, the watchdog, the reset cause and the
 * state of the image that runs. ESP-IDF v6.0. */
#include "xsmc.h"
#include "mc.xs.h"

#include "driver/gpio.h"
#include "driver/uart.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "hal/uart_ll.h"
#include "esp_ota_ops.h"
#include "esp_random.h"
#include "esp_system.h"
#include "esp_task_wdt.h"
#include "esp_timer.h"

/* A pulse of S0 and its pause last 30 ms each at least (IEC 62053-31). */
enum { RANDOM_BYTES_MAX = 4096, WRITE_MS_MAX = 1000, BOUNCE_US_MAX = 20000 };

/* True random while the radio is on, and seeded with it before (ESP-IDF, Random Number Generation). */
void chip_random(xsMachine *the)
{
	xsIntegerValue length = xsmcToInteger(xsArg(0));
	if (length < 0 || length > RANDOM_BYTES_MAX) xsRangeError("too many random bytes at once");
	xsmcSetArrayBuffer(xsResult, NULL, length);
	esp_fill_random(xsmcToArrayBuffer(xsResult), length);
}

void chip_invertSerial(xsMachine *the)
{
	uart_port_t port = (uart_port_t)xsmcToInteger(xsArg(0));
	int failed = uart_set_line_inverse(port, xsmcTest(xsArg(1)) ? UART_SIGNAL_RXD_INV : UART_SIGNAL_INV_DISABLE);
	if (failed) xsUnknownError("uart cannot be inverted");
}

/* port, baud, data bits, even parity: what the SDK's serial sets stays but for these. Waits until what was written has left, a third of
 * a second for the longest request at 300 baud. */
void chip_setSerialLine(xsMachine *the)
{
	uart_port_t port = (uart_port_t)xsmcToInteger(xsArg(0));
	/* The SDK's serial has no driver whose end could be waited for: the hardware is asked. */
	for (int waited_ms = 0; waited_ms < WRITE_MS_MAX && !uart_ll_is_tx_idle(UART_LL_GET_HW(port)); waited_ms += 1) vTaskDelay(pdMS_TO_TICKS(1));
	int failed = uart_set_baudrate(port, (uint32_t)xsmcToInteger(xsArg(1)));
	failed |= uart_set_word_length(port, xsmcToInteger(xsArg(2)) == 7 ? UART_DATA_7_BITS : UART_DATA_8_BITS);
	failed |= uart_set_parity(port, xsmcTest(xsArg(3)) ? UART_PARITY_EVEN : UART_PARITY_DISABLE);
	if (failed) xsUnknownError("uart does not take this line");
}

/* Contacts of an S0 output that closed, since the chip started. The SDK's PulseCount follows a shaft: it counts up when a contact closes
 * and down when it opens. */
static volatile uint32_t gPulses;
static volatile int64_t gEdge_us;

static void IRAM_ATTR closed(void *unused)
{
	int64_t now_us = esp_timer_get_time();
	(void)unused;
	if (now_us - gEdge_us >= BOUNCE_US_MAX) gPulses += 1;
	gEdge_us = now_us;
}

void chip_countPulses(xsMachine *the)
{
	gpio_num_t pin = (gpio_num_t)xsmcToInteger(xsArg(0));
	gpio_config_t input = {
		.pin_bit_mask = 1ULL << pin, .mode = GPIO_MODE_INPUT, .pull_up_en = GPIO_PULLUP_ENABLE, .intr_type = GPIO_INTR_NEGEDGE
	};
	esp_err_t service = gpio_install_isr_service(0);
	/* Something else may have installed it. */
	if (service != ESP_OK && service != ESP_ERR_INVALID_STATE) xsUnknownError("pulses cannot be counted");
	if (gpio_config(&input) != ESP_OK || gpio_isr_handler_add(pin, closed, NULL) != ESP_OK) xsUnknownError("pulses cannot be counted");
}

void chip_pulses(xsMachine *the)
{
	xsmcSetNumber(xsResult, gPulses);
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
