package io.quarry.common.api;

/**
 * How far an upload is.
 *
 * @param size of the image
 * @param offset all bytes before it are durable; the next range begins here
 * @param verified how many of them have been read back for the digest
 * @param finished whether the image has this content now
 * @param commit of the newest commit about it
 */
public record UploadInfo(
    String uploadId, long size, long offset, long verified, boolean finished, long commit) {}
