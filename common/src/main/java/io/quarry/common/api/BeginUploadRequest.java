package io.quarry.common.api;

import io.quarry.common.model.VolumeFormat;
import org.jspecify.annotations.Nullable;

/**
 * @param format of the upload: the disk's bytes, or a qcow2 file that an agent converts into the
 *     disk
 * @param size of the upload in bytes; required for a qcow2 file, otherwise the disk's size
 * @param dataBytes how many of these bytes are not zeros, if the caller knows; the storage must
 *     have room for them
 */
public record BeginUploadRequest(
    VolumeFormat format, @Nullable Long size, @Nullable Long dataBytes) {
  /** An upload of a disk's bytes, whose share of zeros the caller does not know. */
  public static final BeginUploadRequest RAW = new BeginUploadRequest(VolumeFormat.RAW, null, null);
}
