/* SPDX-License-Identifier: BSD-2-Clause */
/* words: choices and the nearest of them, words and lists, numbers and ports. */
#include "config/words.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Test(words, a_choice_is_found_whole)
{
	cr_expect_eq(choice_index("new|established|related", "new"), 0);
	cr_expect_eq(choice_index("new|established|related", "related"), 2);
	cr_expect_eq(choice_index("new|established", "establish"), -1);
	cr_expect_eq(choice_index("new|established", "established2"), -1);
	cr_expect_eq(choice_index("new|established", ""), -1);
	cr_expect_eq(choice_index("new|established", "new|established"), -1);
	cr_expect_eq(choice_index("", "x"), -1);
}

Test(words, the_nearest_choice_is_a_misspelling_away)
{
	static const struct {
		const char *word, *choices, *nearest; /* NULL: none is near */
	} rows[] = {
		{"flwos", "ports|flows", "flows"},  /* swapped */
		{"flow", "ports|flows", "flows"},   /* missing */
		{"floows", "ports|flows", "flows"}, /* too many */
		{"glows", "ports|flows", "flows"},  /* replaced */
		{"tcp-establshd", "tcp-established|tcp-close", "tcp-established"},
		{"lba", "lab|web", "lab"},
		{"work", "ports|flows", NULL},
		{"x", "a|b", NULL},
		{"", "a|b", NULL},
		{"c", "a|bc", "bc"},
		{"a-very-long-word-that-nobody-could-have-meant", "a|b", NULL},
		{"a-network-with-quite-a-long-nam", "x|a-network-with-quite-a-long-name-of-its-own",
			NULL},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		char text[SENTENCE_SIZE], near[64] = "";
		const struct sentence why = {text, sizeof(text)};

		cr_expect_not(refuse_choice(&why, "thing", rows[i].word, rows[i].choices));
		if (rows[i].nearest != NULL)
			snprintf(near, sizeof(near), "did you mean `%s`?", rows[i].nearest);
		cr_expect_not_null(strstr(text, near), "%s", text);
		cr_expect_eq(
			strstr(text, "did you mean") != NULL, rows[i].nearest != NULL, "%s", text);
	}
}

Test(words, a_refusal_lists_what_is_allowed)
{
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	refuse_choice(&why, "fruit", "stone", "apple|pear");
	cr_expect_str_eq(text, "unknown fruit `stone`: allowed: apple, pear");
}

Test(words, choices_that_do_not_fit_are_left_out)
{
	char choices[CHOICES_SIZE] = "", name[201];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (unsigned i = 0; i < 10; i++)
		choices_add(choices, name);
	cr_expect_eq(strlen(choices), 5 * 200 + 4);
	choices_add(choices, "short");
	cr_expect_eq(choice_index(choices, "short"), 5);
}

Test(words, words_end_at_blanks_but_not_around_commas)
{
	const char *text = "  to any\tport 80, 443 ,\t8080  ", *rest = text;
	static const char *const expected[] = {"to", "any", "port", "80,443,8080"};
	char word[WORD_SIZE];

	for (unsigned i = 0; i < COUNT(expected); i++) {
		cr_assert(word_next(&rest, word));
		cr_expect_str_eq(word, expected[i]);
	}
	cr_expect_not(word_next(&rest, word));
}

Test(words, list_elements_are_trimmed_and_may_be_empty)
{
	const char *rest = " a ,, b c ,";
	static const char *const expected[] = {"a", "", "b c", ""};
	char element[WORD_SIZE];

	for (unsigned i = 0; i < COUNT(expected); i++) {
		cr_assert(list_next(&rest, element));
		cr_expect_str_eq(element, expected[i]);
	}
	cr_expect_not(list_next(&rest, element));
}

Test(words, numbers_end_at_their_limit)
{
	static const struct {
		const char *text;
		uint32_t max;
		bool good;
	} rows[] = {
		{"0", 0, true},
		{"255", 255, true},
		{"256", 255, false},
		{"4294967295", UINT32_MAX, true},
		{"4294967296", UINT32_MAX, false},
		{"18446744073709551617", UINT32_MAX, false}, /* 1, in 64 bits */
		{"", 9, false},
		{"-1", 9, false},
		{"+1", 9, false},
		{" 1", 9, false},
		{"1 ", 9, false},
		{"0x1", 9, false},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		uint32_t value = 77;

		cr_expect_eq(number_parse(rows[i].text, rows[i].max, &value), rows[i].good, "%s",
			rows[i].text);
		cr_expect_eq(value == 77, !rows[i].good, "%s", rows[i].text);
	}
}

Test(words, ports_read_back_as_they_were_written)
{
	static const char *const texts[] = {"1", "65535", "1-65535", "8000-8010"};
	char text[SENTENCE_SIZE], ports[PORTS_TEXT_SIZE];
	const struct sentence why = {text, sizeof(text)};
	struct port_range range;

	for (unsigned i = 0; i < COUNT(texts); i++) {
		cr_assert(ports_parse(texts[i], &range, &why), "%s", text);
		cr_expect_str_eq(ports_format(&range, ports), texts[i]);
	}
	cr_expect_not(ports_parse("70000-70001", &range, &why));
	cr_expect_not(ports_parse("70000-1", &range, &why));
	cr_expect_not(ports_parse("1-65536", &range, &why));
}

Test(words, an_array_grows_as_it_is_filled)
{
	unsigned *numbers = NULL;

	for (unsigned i = 0; i < 100; i++) {
		cr_assert(array_reserve(&numbers, i, sizeof(*numbers)));
		numbers[i] = i;
	}
	for (unsigned i = 0; i < 100; i++)
		cr_expect_eq(numbers[i], i);
	free(numbers);
}
