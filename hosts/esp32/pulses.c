/* The S0 input: the chip counts while nobody looks. The SDK's PulseCount follows a shaft: it counts up when a contact closes and down
 * when it opens. ESP-IDF v6.0. */
#include "xsmc.h"
#include "mc.xs.h"

#include "contact.h"
#include "driver/gpio.h"
#include "esp_attr.h"
#include "esp_intr_alloc.h"
#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "hal/gpio_ll.h"

static Contact gContact;
static gpio_num_t gPin;
static portMUX_TYPE gLock = portMUX_INITIALIZER_UNLOCKED;

/* In IRAM with all that it calls: a sector's erase takes longer than a pulse. */
static void IRAM_ATTR changed(void *unused)
{
	(void)unused;
	portENTER_CRITICAL_ISR(&gLock);
	contactChanges(&gContact, gpio_ll_get_level(&GPIO, (uint32_t)gPin), esp_timer_get_time());
	portEXIT_CRITICAL_ISR(&gLock);
}

void chip_countPulses(xsMachine *the)
{
	gPin = (gpio_num_t)xsmcToInteger(xsArg(0));
	gpio_config_t input = {
		.pin_bit_mask = 1ULL << gPin, .mode = GPIO_MODE_INPUT, .pull_up_en = GPIO_PULLUP_ENABLE, .intr_type = GPIO_INTR_ANYEDGE
	};
	esp_err_t service = gpio_install_isr_service(ESP_INTR_FLAG_IRAM);
	/* Something else may have installed it. */
	if (service != ESP_OK && service != ESP_ERR_INVALID_STATE) xsUnknownError("pulses cannot be counted");
	if (gpio_config(&input) != ESP_OK) xsUnknownError("pulses cannot be counted");
	/* A contact that is closed at the start was counted before it. */
	gContact.level = gContact.settled = gpio_get_level(gPin) != 0;
	if (gpio_isr_handler_add(gPin, changed, NULL) != ESP_OK) xsUnknownError("pulses cannot be counted");
}

void chip_pulses(xsMachine *the)
{
	portENTER_CRITICAL(&gLock);
	contactSettles(&gContact, esp_timer_get_time());
	uint32_t closings = gContact.closings;
	portEXIT_CRITICAL(&gLock);
	xsmcSetNumber(xsResult, closings);
}
