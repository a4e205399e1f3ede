#include "values.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char BLANKS[] = " \t";

int sb_seconds(const char *text)
{
    int64_t seconds = 0;
    if (text == NULL)
        return -1;
    text += strspn(text, BLANKS);
    if (*text < '0' || *text > '9')
        return -1;
    for (; *text >= '0' && *text <= '9'; text++)
        if ((seconds = seconds * 10 + (*text - '0')) > INT32_MAX)
            seconds = INT32_MAX;
    return (int)seconds;
}

int sb_granted(const char *of_contact, const char *expires, int wanted)
{
    int seconds = sb_seconds(of_contact);
    if (seconds < 0)
        seconds = sb_seconds(expires);
    return seconds < 0 ? wanted : seconds;
}

int sb_bare(const char *value)
{
    return (int)strcspn(value, "; \t");
}

/* Find the first of these octets that does not stand within quotes, or the end. */
static const char *end_of(const char *text, const char *octets)
{
    int quoted = 0;
    for (; *text != '\0' && (quoted || strchr(octets, *text) == NULL); text++) {
        if (*text == '"')
            quoted = !quoted;
        else if (*text == '\\' && quoted && text[1] != '\0')
            text++;
    }
    return text;
}

const char *sb_parameter(const char *value, const char *name, int *length)
{
    size_t size = strlen(name);
    const char *end;
    for (value = end_of(value, ";"); *value == ';'; value = end_of(value, ";")) {
        value += 1 + strspn(value + 1, BLANKS);
        if (strncasecmp(value, name, size) != 0)
            continue;
        end = value + size + strspn(value + size, BLANKS);
        if (*end != '=')
            continue;
        value = end + 1 + strspn(end + 1, BLANKS);
        end = end_of(value, "; \t");
        if (*value == '"' && end - value >= 2 && end[-1] == '"') {
            value++;
            end--;
        }
        *length = (int)(end - value);
        return value;
    }
    return NULL;
}

char *sb_event_of(const char *value)
{
    int package = sb_bare(value), length = 0;
    const char *id = sb_parameter(value, "id", &length);
    size_t size = (size_t)package + (size_t)length + sizeof ";id=\"\"";
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
    if (length > 0 && id[-1] == '"') /* within quotes there may be what ends it without them */
        snprintf(text, size, "%.*s;id=\"%.*s\"", package, value, length, id);
    else if (length > 0)
        snprintf(text, size, "%.*s;id=%.*s", package, value, length, id);
    else
        snprintf(text, size, "%.*s", package, value);
    return text;
}

int sb_is_same_event(const char *a, const char *b)
{
    int left_length = 0, right_length = 0;
    const char *left = sb_parameter(a, "id", &left_length), *right = sb_parameter(b, "id", &right_length);
    if (sb_bare(a) != sb_bare(b) || strncmp(a, b, (size_t)sb_bare(a)) != 0 || left_length != right_length)
        return 0;
    return left_length == 0 || strncmp(left, right, (size_t)left_length) == 0;
}
