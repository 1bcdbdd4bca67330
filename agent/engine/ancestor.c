/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "agent/engine/ancestor.h"

#include "agent/engine/image.h"
#include "agent/engine/tree.h"
#include "agent/lib/doc.h"
#include "agent/lib/file.h"

/* Arguments told for all ancestors together: a row has room for them. */
#define ARGS_MAX 16384

static struct doc *
ancestor(const struct tree_process *process, uint64_t boot_ns, size_t *room)
{
	const struct image *image = image_at(process->image, boot_ns);
	struct doc *doc = doc_new();

	doc_set_number(doc, "pid", process->pid);
	doc_set_text(doc, "entity_id", process->entity_id);
	if (image && *image->executable)
		doc_set_text(doc, "executable", image->executable);
	if (image)
		doc_set_text(doc, "name", image->comm);
	if (image && image->args_len <= *room) {
		*room -= image->args_len;
		doc_set(doc, "args",
			doc_from_args(image->args, image->args_len));
		if (image->args_cut)
			doc_set_bool(doc, "args_cut", true);
	}
	doc_set_time(doc, "start", process->start_wall_ns);
	return doc;
}

char *
ancestor_list(struct tree *tree, const struct tree_process *process,
	      uint64_t boot_ns)
{
	CLEANUP(doc_freep) struct doc *list = doc_new_list();
	size_t room = ARGS_MAX;

	for (int i = 0; process && i < TREE_DEPTH_MAX; i++) {
		process = tree_parent(tree, process);
		if (process)
			doc_add(list, NULL, ancestor(process, boot_ns, &room));
	}
	return doc_write(list);
}
