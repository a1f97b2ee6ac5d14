package io.quarry.common.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * @param size bytes, a multiple of 512
 * @param baseSnapshotId the snapshot to start from; null makes an empty disk
 * @param userData any JSON object, stored unchanged
 */
public record CreateVirtualDiskRequest(
    long size, @Nullable String baseSnapshotId, ObjectNode userData, ImageOptions options) {}
