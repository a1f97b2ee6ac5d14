package io.quarry.common.api;

/**
 * @param imageId the new image; always use this one, also after copying a snapshot
 * @param commit the sequence number of the commit in the repository's log
 */
public record CreatedImage(String imageId, long commit) {}
