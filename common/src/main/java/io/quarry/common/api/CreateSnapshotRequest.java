package io.quarry.common.api;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * @param baseVirtualDiskId the disk whose content at the commit becomes the snapshot
 * @param userData any JSON object, stored unchanged
 */
public record CreateSnapshotRequest(
    String baseVirtualDiskId, ObjectNode userData, ImageOptions options) {}
