#ifndef BROKER_CJANSSON_H
#define BROKER_CJANSSON_H

#include <jansson.h>

#endif
