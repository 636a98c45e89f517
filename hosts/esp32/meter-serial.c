/* The UART that the meter is at, by ESP-IDF's driver: its interrupt, in IRAM, fills a ring while the engine signs, checks a receipt or
 * erases a sector. The SDK's serial has the 128 bytes of the chip alone, 11 ms at 115,200 baud. ESP-IDF v6.0. */
#include "xsmc.h"
#include "mc.xs.h"

#include "driver/uart.h"
#include "esp_intr_alloc.h"

/* Eight P1 telegrams, of which one comes a second. The chip interrupts at half of what it holds, so that the other half may pass. */
enum { RECEIVE_BYTES = 8192, SEND_BYTES = 256, CHIP_BYTES = 128, INTERRUPT_BYTES = CHIP_BYTES / 2, READ_BYTES_MAX = 1024 };

/* times that the ring was found full: what came after that is lost */
static uint32_t gOverruns;
static int gIsFull;

/* port, receiving pin, sending pin or -1, whether the receiving line is inverted as P1 has it. */
void chip_openSerial(xsMachine *the)
{
	uart_port_t port = (uart_port_t)xsmcToInteger(xsArg(0));
	int receive = xsmcToInteger(xsArg(1)), send = xsmcToInteger(xsArg(2));
	uart_config_t line = {
		.baud_rate = 115200,
		.data_bits = UART_DATA_8_BITS,
		.parity = UART_PARITY_DISABLE,
		.stop_bits = UART_STOP_BITS_1,
		.flow_ctrl = UART_HW_FLOWCTRL_DISABLE,
		.source_clk = UART_SCLK_DEFAULT,
	};
	int failed = uart_driver_install(port, RECEIVE_BYTES, SEND_BYTES, 0, NULL, ESP_INTR_FLAG_IRAM);
	failed = failed || uart_param_config(port, &line);
	failed = failed || uart_set_pin(port, send < 0 ? UART_PIN_NO_CHANGE : send, receive, UART_PIN_NO_CHANGE, UART_PIN_NO_CHANGE);
	failed = failed || uart_set_line_inverse(port, xsmcTest(xsArg(3)) ? UART_SIGNAL_RXD_INV : UART_SIGNAL_INV_DISABLE);
	failed = failed || uart_set_rx_full_threshold(port, INTERRUPT_BYTES);
	if (failed) xsUnknownError("uart does not open");
}

/* port, baud, data bits, even parity: what has been received at the line before stays. */
void chip_setSerialLine(xsMachine *the)
{
	uart_port_t port = (uart_port_t)xsmcToInteger(xsArg(0));
	int failed = uart_set_baudrate(port, (uint32_t)xsmcToInteger(xsArg(1)));
	failed |= uart_set_word_length(port, xsmcToInteger(xsArg(2)) == 7 ? UART_DATA_7_BITS : UART_DATA_8_BITS);
	failed |= uart_set_parity(port, xsmcTest(xsArg(3)) ? UART_PARITY_EVEN : UART_PARITY_DISABLE);
	if (failed) xsUnknownError("uart does not take this line");
}

/* port, at most so many bytes: what is in the ring, undefined where it is empty. */
void chip_readSerial(xsMachine *the)
{
	uart_port_t port = (uart_port_t)xsmcToInteger(xsArg(0));
	xsIntegerValue most = xsmcToInteger(xsArg(1));
	uint8_t bytes[READ_BYTES_MAX];
	size_t waiting = 0;
	int isFull;
	if (most < 1 || most > READ_BYTES_MAX) xsRangeError("so many bytes are not read at once");
	if (uart_get_buffered_data_len(port, &waiting) != ESP_OK) xsUnknownError("uart is not open");
	isFull = waiting + CHIP_BYTES > RECEIVE_BYTES;
	if (isFull && !gIsFull) gOverruns += 1;
	gIsFull = isFull;
	if (waiting == 0) return;
	int length = uart_read_bytes(port, bytes, waiting < (size_t)most ? waiting : (size_t)most, 0);
	if (length > 0) xsmcSetArrayBuffer(xsResult, bytes, length);
}

/* port, bytes: how many of them there was room for. */
void chip_writeSerial(xsMachine *the)
{
	uart_port_t port = (uart_port_t)xsmcToInteger(xsArg(0));
	void *bytes;
	xsUnsignedValue length;
	size_t room = 0;
	int taken = 0;
	xsmcGetBufferReadable(xsArg(1), &bytes, &length);
	if (uart_get_tx_buffer_free_size(port, &room) != ESP_OK) xsUnknownError("uart is not open");
	if (length > room) length = (xsUnsignedValue)room;
	if (length > 0) taken = uart_write_bytes(port, bytes, length);
	xsmcSetInteger(xsResult, taken < 0 ? 0 : taken);
}

/* port: whether all that was written has left. */
void chip_isSerialIdle(xsMachine *the)
{
	xsmcSetBoolean(xsResult, uart_wait_tx_done((uart_port_t)xsmcToInteger(xsArg(0)), 0) == ESP_OK);
}

void chip_serialOverruns(xsMachine *the)
{
	xsmcSetNumber(xsResult, gOverruns);
}
