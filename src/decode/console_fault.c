// SPDX-License-Identifier: LGPL-2.1-only
/* Faults of IOMMUs as the kernel's log tells them: VT-d, AMD-Vi, Arm SMMU, virtio. */
#include <stdio.h>
#include <string.h>

#include "console.h"

/* ---- PCI names ------------------------------------------------------------------------------- */

/*
 * "00:05.0", "0000:00:05.0", "0x00:0x05.0" (a few releases) name PCI functions; VT-d does not tell
 * the segment, and nearly all machines have one. Into @name as dev_name() has it.
 */
static bool read_pci_name(struct text text, char *name, size_t size)
{
	uint64_t part[4] = {0}; /* segment, bus, slot, function; read from the bus on */
	size_t n = 1;

	if (!text_take_number(&text, 16, &part[1]))
		return false;
	while (n < 3 && text_take_char(&text, ':')) {
		if (!text_take_number(&text, 16, &part[++n]))
			return false;
	}
	if (n == 3) {
		part[0] = part[1];
		part[1] = part[2];
		part[2] = part[3];
	}
	if (n < 2 || !text_take_char(&text, '.') || !text_take_number(&text, 16, &part[3]))
		return false;
	if (part[0] > 0xffffffff || part[1] > 0xff || part[2] > 0x1f || part[3] > 7)
		return false;
	snprintf(name, size, "%04x:%02x:%02x.%x", (unsigned int)part[0], (unsigned int)part[1],
		 (unsigned int)part[2], (unsigned int)part[3]);
	return true;
}

static void set_pci_device(struct dms_event *event, struct dms_strtab *names, struct text text)
{
	char name[32];

	if (text.at && read_pci_name(text, name, sizeof(name)))
		console_set_device(event, names, (struct text){name, strlen(name)});
}

/* ---- IOMMUs that name the address in one line ------------------------------------------------ */

static void set_fault(struct dms_event *event, uint64_t iova)
{
	event->kind = DMS_EV_IOMMU_FAULT;
	event->dma_addr = iova;
	event->has |= DMS_HAS_DMA_ADDR;
}

/*
 * These messages go on behind the address: one that ends with it may have lost its last digits. Only
 * Intel's of old, which has no 0x, went on in a line of its own.
 */
static bool find_address(struct text text, struct text key, uint64_t *ret)
{
	struct text at = text_behind(text, key);
	bool goes_on = at.size > 2 && at.at[0] == '0' && at.at[1] == 'x';

	return at.at && text_take_number(&at, 16, ret) && (at.size || !goes_on);
}

/* As iommu:io_page_fault has it: IOMMU_FAULT_READ is 0, IOMMU_FAULT_WRITE 1. */
static void set_access(struct dms_event *event, bool is_write)
{
	event->err = is_write;
	event->has |= DMS_HAS_ERR;
}

/*
 * drivers/iommu/intel/dmar.c dmar_fault_do_one(), all of its spellings: "[DMA Write NO_PASID]",
 * "[DMA Write]", or "PASID ffffffff" behind the device, for none. A fault of a process's address
 * space is none of the DMA API.
 */
static bool read_dmar(struct reader *reader, struct text head, struct text rest)
{
	uint64_t iova, pasid;

	if (!text_holds(head, "DMAR:") || !find_address(rest, TEXT("fault addr "), &iova))
		return false;
	if (text_find_number(head, TEXT("[DMA Write PASID "), 16, &pasid) ||
	    text_find_number(head, TEXT("[DMA Read PASID "), 16, &pasid) ||
	    (text_find_number(rest, TEXT("] PASID "), 16, &pasid) && pasid != UINT32_MAX))
		return false;
	set_fault(reader->event, iova);
	set_pci_device(reader->event, reader->names, rest);
	if (text_holds(head, "DMA Write") || text_holds(head, "DMA Read"))
		set_access(reader->event, text_holds(head, "DMA Write"));
	return true;
}

/* EVENT_FLAG_I and _RW of drivers/iommu/amd/amd_iommu_types.h */
#define AMD_FLAG_INTERRUPT 0x008
#define AMD_FLAG_WRITE	   0x020

/* drivers/iommu/amd/iommu.c amd_iommu_report_page_fault(): pci_err(), or with "device=" inside */
static bool read_amd(struct reader *reader, struct text head, struct text rest)
{
	static const struct text prefix = TEXT(": AMD-Vi: ");
	uint64_t iova, flags;

	if (!find_address(rest, TEXT("address="), &iova))
		return false;
	if (text_find_number(rest, TEXT("flags="), 16, &flags)) {
		if (flags & AMD_FLAG_INTERRUPT)
			return false;
		set_access(reader->event, flags & AMD_FLAG_WRITE);
	}
	set_fault(reader->event, iova);
	if (text_holds(rest, "device=")) {
		set_pci_device(reader->event, reader->names, text_behind(rest, TEXT("device=")));
	} else if (head.size > prefix.size && text_holds(head, prefix.at)) {
		head.size -= prefix.size;
		console_set_device(reader->event, reader->names, text_last_word(head));
	}
	return true;
}

/* ARM_SMMU_CB_FSYNR0_WNR */
#define SMMU_FSYNR0_WRITE (1u << 4)

/* drivers/iommu/arm/arm-smmu/arm-smmu.c: the message names the IOMMU only. */
static bool read_smmu(struct reader *reader, struct text head, struct text rest)
{
	uint64_t iova, fsynr;

	(void)head;
	if (!find_address(rest, TEXT("iova="), &iova))
		return false;
	set_fault(reader->event, iova);
	if (text_find_number(rest, TEXT(" fsynr="), 16, &fsynr))
		set_access(reader->event, fsynr & SMMU_FSYNR0_WRITE);
	return true;
}

/* drivers/iommu/virtio-iommu.c viommu_fault_handler(): of an endpoint, "... at 0x1000 [RW]" */
static bool read_virtio(struct reader *reader, struct text head, struct text rest)
{
	uint64_t iova;

	if (!text_holds(head, "virtio") || !find_address(rest, TEXT(" at "), &iova))
		return false;
	set_fault(reader->event, iova);
	rest = text_behind(rest, TEXT(" ["));
	if (rest.at && rest.size && (*rest.at == 'R' || *rest.at == 'W'))
		set_access(reader->event, text_holds(rest, "W"));
	return true;
}

/* ---- SMMUv3: drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c ------------------------------------- */

/* EVTQ_0_SSV, EVTQ_0_SSID, EVTQ_1_RnW */
#define EVTQ_0_HAS_SSID	  (1ull << 11)
#define EVTQ_0_SSID(word) ((word) >> 12 & 0xfffff)
#define EVTQ_1_READ	  (1ull << 35)

static bool is_smmu_fault(uint64_t id)
{
	return id >= 0x10 && id <= 0x13; /* translation, address size, access, permission */
}

static bool is_of_process(const uint64_t *words)
{
	return (words[0] & EVTQ_0_HAS_SSID) && EVTQ_0_SSID(words[0]);
}

/* "event 0x10 received:", to be followed by its four words, one a line */
static bool open_record(struct reader *reader, struct text head, struct text rest)
{
	struct dms_console_state *state = reader->state;
	uint64_t id;

	if (!text_holds(rest, " received:") || !text_take_number(&rest, 16, &id))
		return false;
	*state = (struct dms_console_state){
		.device = (uint32_t)dms_hash_bytes(head.at, head.size), /* of the IOMMU */
		.is_open = is_smmu_fault(id),
		.is_named = state->is_named,
	};
	return false;
}

/*
 * A word of it. In newer kernels a line that names the device follows: once such a line was seen,
 * the words alone are no news.
 */
static bool read_word(struct reader *reader, struct text head, struct text rest)
{
	struct dms_console_state *state = reader->state;

	while (text_take_char(&rest, '\t') || text_take_char(&rest, ' '))
		;
	if (!state->is_open || state->device != (uint32_t)dms_hash_bytes(head.at, head.size) ||
	    !text_take_number(&rest, 16, &state->words[state->n_words]) || rest.size)
		return false;
	if (++state->n_words < DMS_ARRAY_SIZE(state->words))
		return false;
	state->is_open = false;
	if (state->is_named || is_of_process(state->words))
		return false;
	set_fault(reader->event, state->words[2]);
	set_access(reader->event, !(state->words[1] & EVTQ_1_READ));
	return true;
}

/* "event: F_TRANSLATION client: 0000:00:01.0 sid: 0x8 ssid: 0 iova: 0x1000 ipa: 0x0" */
static bool read_named(struct reader *reader, struct text head, struct text rest)
{
	struct dms_console_state *state = reader->state;
	struct text name = text_behind(rest, TEXT(" client: "));
	uint64_t iova, ssid;
	const char *end;

	(void)head;
	if (!name.at || !find_address(name, TEXT(" iova: "), &iova))
		return false;
	state->is_named = true;
	if (text_find_number(name, TEXT(" ssid: "), 16, &ssid) && ssid)
		return false;
	set_fault(reader->event, iova);
	/* Else it is "(unassigned sid)". */
	end = memmem(name.at, name.size, " sid: ", 6);
	if (end && *name.at != '(')
		console_set_device(reader->event, reader->names,
				   (struct text){name.at, (size_t)(end - name.at)});
	/* The access is told by the words above, and by the next line. */
	if (state->n_words == DMS_ARRAY_SIZE(state->words) && state->words[2] == iova)
		set_access(reader->event, !(state->words[1] & EVTQ_1_READ));
	return true;
}

/** A message of an IOMMU, by what it begins with behind the name of its driver. */
static const struct fault_row {
	struct text text;
	size_t capital; /* where in text, if it does not begin with ':': logs have few of them */
	bool (*read)(struct reader *reader, struct text head, struct text rest);
} fault_rows[] = {
	{TEXT(" Request device ["), 2, read_dmar},
	{TEXT("Event logged [IO_PAGE_FAULT "), 0, read_amd},
	{TEXT(": Unhandled context fault: fsr="), 0, read_smmu},
	{TEXT(" fault from EP "), 12, read_virtio},
	{TEXT(": event 0x"), 0, open_record},
	{TEXT(": event: F_"), 0, read_named},
	{TEXT(": "), 0, read_word}, /* of a record that is open */
};

bool console_fault_begins(struct text text)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(fault_rows); i++) {
		if (fault_rows[i].read != read_word && text_begins(text, fault_rows[i].text))
			return true;
	}
	return false;
}

/* As text_holds(), by the one character of it that is seldom. */
static bool holds_row(struct text text, const struct fault_row *row)
{
	const char *end = text.at + text.size, *at = text.at;

	for (; (at = memchr(at, row->text.at[row->capital], (size_t)(end - at))); at++) {
		const char *begin = at - row->capital;

		if ((size_t)(at - text.at) >= row->capital &&
		    text_begins((struct text){begin, (size_t)(end - begin)}, row->text))
			return true;
	}
	return false;
}

bool console_fault_holds(struct text text)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(fault_rows); i++) {
		if (*fault_rows[i].text.at != ':' && holds_row(text, &fault_rows[i]))
			return true;
	}
	return false;
}

bool console_read_fault(struct reader *reader, struct text text)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(fault_rows); i++) {
		const struct fault_row *row = &fault_rows[i];
		struct text rest = text_behind(text, row->text), head = text;

		if (!rest.at)
			continue;
		head.size = (size_t)(rest.at - row->text.size - text.at);
		if (row->read(reader, head, rest))
			return true;
	}
	return false;
}
