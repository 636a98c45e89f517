/* What hosts/esp32 uses of FreeRTOS as ESP-IDF v6.0 has it. */
#pragma once
#include <stdint.h>

typedef uint32_t TickType_t;
typedef struct QueueDefinition *QueueHandle_t;
typedef struct {
	uint32_t owner;
	uint32_t count;
} portMUX_TYPE;

#define portMUX_INITIALIZER_UNLOCKED {0, 0}

void vPortEnterCritical(portMUX_TYPE *lock);
void vPortExitCritical(portMUX_TYPE *lock);
#define portENTER_CRITICAL(lock) vPortEnterCritical(lock)
#define portEXIT_CRITICAL(lock) vPortExitCritical(lock)
#define portENTER_CRITICAL_ISR(lock) vPortEnterCritical(lock)
#define portEXIT_CRITICAL_ISR(lock) vPortExitCritical(lock)
