#ifndef BROKER_CCURL_H
#define BROKER_CCURL_H

#include <curl/curl.h>

#endif
