package io.quarry.common.api;

/**
 * @param imageId the new image; use this id also after copying a snapshot
 * @param commit the sequence number of the commit in the repository's log
 */
public record CreatedImage(String imageId, long commit) {}
