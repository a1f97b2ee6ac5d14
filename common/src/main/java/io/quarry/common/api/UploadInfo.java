package io.quarry.common.api;

import org.jspecify.annotations.Nullable;

/**
 * How far an upload is.
 *
 * @param size of the upload: of the image, or of the qcow2 file
 * @param offset all bytes before it are durable; the next range begins here
 * @param verified how many durable bytes an agent has read back for the digest
 * @param finished whether the image has the uploaded content now
 * @param conversion of a qcow2 file into the image's content; null for the bytes of a disk
 * @param commit of the upload's newest commit
 */
public record UploadInfo(
    String uploadId,
    long size,
    long offset,
    long verified,
    boolean finished,
    @Nullable Conversion conversion,
    long commit) {

  /**
   * @param size of the image
   * @param offset all bytes of the image before it are durable
   */
  public record Conversion(long size, long offset) {}
}
