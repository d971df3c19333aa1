// SPDX-License-Identifier: LGPL-2.1-only
/* Which module's driver made a DMA call, told by its call stack; silent rather than wrong. */
#include <string.h>

#include <dmascope/symbols.h>

/* Hardly a function is longer: an address this far behind its symbol belongs to another. */
#define MAX_OFFSET_BYTES  16384
#define PROBE_BYTES	  64 /* hardly a function is shorter, with its alignment */
#define MAX_TRACER_FRAMES 4
#define AGREE_PERCENT	  80 /* of the stacks that tell a driver at all */

enum verdict {
	STOP, /* whoever stands further out need not be the driver of the device */
	SKIP, /* called by the device's own driver: look further out */
	TAKE, /* this is the driver */
};

/* Names may end in '*': what begins so. Function NULL: any. The first row that fits decides. */
struct row {
	const char *module; /* NULL: the kernel itself */
	const char *function;
	enum verdict verdict;
};

/*
 * Subsystem layers and helper modules stand between the DMA core and the driver. Layers that
 * are called by their clients as well (a USB class driver, an SDIO or SCSI upper driver, an
 * InfiniBand ULP) stop the search: the frame behind may be a client's, whose call is for
 * another driver's device. So do modules that map for a device which is not theirs.
 */
static const struct row rows[] = {
	{"usbcore", "usb_hcd_map_urb_for_dma", SKIP},
	{"usbcore", "hcd_buffer_create", SKIP},
	{"usbcore", "usb_add_hcd", SKIP},
	{"usbcore", NULL, STOP},
	{"ehci_hcd", NULL, SKIP}, /* the drivers are ehci-pci, ohci-pci, ... */
	{"ohci_hcd", NULL, SKIP},
	{"udc_core", NULL, SKIP},
	{"scsi_mod", "scsi_dma_map", SKIP},
	{"scsi_mod", "scsi_add_host*", SKIP},
	{"scsi_mod", NULL, STOP},
	{"sd_mod", NULL, STOP},
	{"sr_mod", NULL, STOP},
	{"libata", NULL, SKIP},
	{"libahci", NULL, SKIP},
	{"libahci_platform", NULL, SKIP},
	{"libsas", NULL, STOP},
	{"libfc", NULL, STOP},
	{"libfcoe", NULL, STOP},
	{"mptbase", NULL, SKIP},
	{"mptscsih", NULL, SKIP},
	{"hisi_sas_main", NULL, SKIP},
	{"virtio", NULL, SKIP},
	{"virtio_ring", NULL, SKIP},
	{"virtio_pci*", NULL, SKIP},
	{"virtio_mmio", NULL, SKIP},
	{"virtio_ccw", NULL, SKIP},
	{"virtio_dma_buf", NULL, STOP},
	{"vmw_vsock_virtio_transport_common", NULL, STOP},
	{"nvme_core", NULL, STOP},
	{"nvme_fc", NULL, STOP},
	{"nvme_rdma", NULL, STOP},
	{"nvmet*", NULL, STOP},
	{"sdhci", NULL, SKIP},
	{"cqhci", NULL, SKIP},
	{"mmc_core", NULL, STOP},
	{"mmc_block", NULL, STOP},
	{"drm*", NULL, SKIP},
	{"ttm", NULL, SKIP},
	{"gpu_sched", NULL, SKIP},
	{"snd", NULL, SKIP},
	{"snd_pcm", NULL, SKIP},
	{"snd_hda_core", NULL, SKIP},
	{"snd_hda_ext_core", NULL, SKIP},
	{"snd_hda_codec*", NULL, SKIP},
	{"snd_soc*", NULL, STOP},
	{"snd_sof*", NULL, STOP},
	{"snd_dmaengine*", NULL, STOP},
	{"snd_pcm_dmaengine", NULL, STOP},
	{"videobuf2_*", NULL, SKIP},
	{"videodev", NULL, STOP},
	{"ib_*", NULL, STOP}, /* the core, and the ULPs that map on the adapter's device */
	{"rdma_*", NULL, STOP},
	{"rpcrdma", NULL, STOP},
	{"rtrs_*", NULL, STOP},
	{"smc", NULL, STOP},
	{"9pnet_rdma", NULL, STOP},
	{"mlx4_*", NULL, STOP}, /* functions of one device, divided among several modules */
	{"mlx5_*", NULL, STOP},
	{"bnxt_re", NULL, STOP},
	{"qedr", NULL, STOP},
	{"qed", NULL, SKIP},
	{"irdma", NULL, STOP},
	{"cnic", NULL, STOP},
	{"mac80211", NULL, STOP},
	{"cfg80211", NULL, STOP},
	{"ath", NULL, SKIP},
	{"ath9k_hw", NULL, SKIP},
	{"ath9k_common", NULL, SKIP},
	{"ath10k_core", NULL, SKIP},
	{"ath11k", NULL, SKIP},
	{"mt76*", NULL, STOP},
	{"mt792x_lib", NULL, SKIP},
	{"rtw88_core", NULL, SKIP},
	{"rtw88_pci", NULL, SKIP},
	{"rtw89_core", NULL, SKIP},
	{"rtw89_pci", NULL, SKIP},
	{"rtlwifi", NULL, SKIP},
	{"rtl_pci", NULL, SKIP},
	{"libwx", NULL, SKIP},
	{"libeth*", NULL, SKIP},
	{"libie*", NULL, SKIP},
	{"fsl_enetc_core", NULL, SKIP},
	{"hclge", NULL, STOP},
	{"hclge_*", NULL, STOP},
	{"stmmac", NULL, SKIP},
	{"mhi", NULL, STOP},
	{"mei", NULL, SKIP},
	{"intel_qat", NULL, SKIP},
	{"hisi_qm", NULL, SKIP},
	{"ntb*", NULL, STOP},
	{"thunderbolt_net", NULL, STOP},
	{"firewire_*", NULL, STOP},
	{"snd_firewire_lib", NULL, STOP},
	{"dw_dmac_core", NULL, SKIP},
	{NULL, "page_pool_*", SKIP}, /* the same layers, built in; and helpers that always are */
	{NULL, "__page_pool_*", SKIP},
	{NULL, "xp_dma_map*", SKIP},
	{NULL, "xsk_pool_dma_map", SKIP},
	{NULL, "tso_dma_map_*", SKIP},
	{NULL, "blk_rq_dma_map*", SKIP},
	{NULL, "blk_dma_map*", SKIP},
	{NULL, "blk_rq_map_iter*", SKIP},
	{NULL, "vring_*", SKIP},
	{NULL, "__vring_*", SKIP},
	{NULL, "virtqueue_*", SKIP},
	{NULL, "__virtqueue_*", SKIP},
	{NULL, "virtio_find_vqs*", SKIP},
	{NULL, "vp_*", SKIP},
	{NULL, "usb_hcd_map_urb_for_dma", SKIP},
	{NULL, "scsi_dma_map", SKIP},
	{NULL, "snd_dma_*", SKIP},
	{NULL, "ata_host_activate", SKIP},
	{NULL, "ata_host_start*", SKIP},
	{NULL, "mempool_*", SKIP},
	{NULL, NULL, STOP}, /* an entry from elsewhere: no driver stands behind it for sure */
};

static bool fits(const char *pattern, const char *text, uint32_t text_len)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return text_len >= len - 1 && !memcmp(pattern, text, len - 1);
	return text_len == len && !memcmp(pattern, text, len);
}

static enum verdict judge(const struct dms_symbol *symbol)
{
	for (size_t i = 0; i < DMS_ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if (!row->module != !symbol->module)
			continue;
		if (row->module && !fits(row->module, symbol->module, symbol->module_len))
			continue;
		if (!row->function || fits(row->function, symbol->name, symbol->name_len))
			return row->verdict;
	}
	return TAKE;
}

/*
 * The code of a module that was gone when the symbols were saved lies behind the last function
 * of another one, and would get its name. So a function of the same module must follow soon.
 */
static bool is_inside_module(const struct dms_symbols *symbols, const struct dms_symbol *symbol,
			     uint64_t address)
{
	struct dms_symbol next;

	if (address - symbol->address > MAX_OFFSET_BYTES)
		return false;
	for (uint64_t ahead = PROBE_BYTES; ahead <= MAX_OFFSET_BYTES; ahead += PROBE_BYTES) {
		if (!dms_symbols_find(symbols, address + ahead, &next))
			return false;
		if (next.address != symbol->address)
			return next.module && next.module_len == symbol->module_len &&
			       !memcmp(next.module, symbol->module, next.module_len);
	}
	return false;
}

/* A buffer that is shared is mapped by its exporter, for the importer's device. */
static bool is_shared_buffer(const struct dms_symbol *symbol)
{
	return fits("dma_buf_*", symbol->name, symbol->name_len);
}

/*
 * Where the DMA core begins. The tracer's own functions stand before it, and go by the name of
 * any neighbour if the symbol table is a cut one.
 */
static uint32_t find_core(const struct dms_symbols *symbols, const uint64_t *frames,
			  uint32_t n_frames)
{
	struct dms_symbol symbol;

	for (uint32_t i = 0; i < n_frames && i < MAX_TRACER_FRAMES; i++) {
		if (!dms_symbols_find(symbols, frames[i], &symbol))
			continue;
		if (symbol.module)
			break;
		if (dms_symbol_is_core(symbol.name, symbol.name_len))
			return i;
	}
	return 0;
}

bool dms_driver_of_stack(const struct dms_symbols *symbols, const uint64_t *frames,
			 uint32_t n_frames, struct dms_symbol *ret)
{
	enum verdict verdict = SKIP;
	struct dms_symbol symbol;

	for (uint32_t i = find_core(symbols, frames, n_frames); i < n_frames; i++) {
		if (!dms_symbols_find(symbols, frames[i], &symbol)) {
			if (verdict == SKIP)
				return false;
			continue; /* nobody asks who called the driver */
		}
		if (is_shared_buffer(&symbol))
			return false;
		if (verdict == TAKE || dms_symbol_is_core(symbol.name, symbol.name_len))
			continue;
		verdict = judge(&symbol);
		if (verdict == STOP)
			return false;
		if (symbol.module && !is_inside_module(symbols, &symbol, frames[i]))
			return false;
		if (verdict == TAKE)
			*ret = symbol;
	}
	return verdict == TAKE;
}

/** A driver named by stacks, and by how many. */
struct candidate {
	const char *name;
	uint32_t len, votes;
};

static void vote(struct candidate *candidates, uint32_t *n, const struct dms_symbol *symbol)
{
	for (uint32_t i = 0; i < *n; i++) {
		if (candidates[i].len == symbol->module_len &&
		    !memcmp(candidates[i].name, symbol->module, symbol->module_len)) {
			candidates[i].votes++;
			return;
		}
	}
	candidates[(*n)++] = (struct candidate){symbol->module, symbol->module_len, 1};
}

struct dms_error *dms_driver_of_stacks(const struct dms_symbols *symbols,
				       const struct dms_stacks *stacks, const uint32_t *ids,
				       uint32_t n_ids, char **ret)
{
	_cleanup_(dms_freep) struct candidate *candidates = NULL;
	uint32_t n_candidates = 0, n_votes = 0;

	*ret = NULL;
	if (!n_ids)
		return NULL;
	candidates = dms_alloc(n_ids * sizeof(*candidates));
	if (!candidates)
		return &dms_error_nomem;
	for (uint32_t i = 0; i < n_ids; i++) {
		struct dms_symbol symbol;
		uint32_t n_frames;
		const uint64_t *frames = dms_stacks_get(stacks, ids[i], &n_frames);

		if (!frames || !dms_driver_of_stack(symbols, frames, n_frames, &symbol))
			continue;
		n_votes++;
		vote(candidates, &n_candidates, &symbol);
	}
	for (uint32_t i = 0; i < n_candidates; i++) {
		if ((uint64_t)candidates[i].votes * 100 < (uint64_t)n_votes * AGREE_PERCENT)
			continue;
		*ret = dms_strndup(candidates[i].name, candidates[i].len);
		return *ret ? NULL : &dms_error_nomem;
	}
	return NULL;
}
