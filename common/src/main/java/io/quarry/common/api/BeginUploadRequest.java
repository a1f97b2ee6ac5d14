package io.quarry.common.api;

import io.quarry.common.model.VolumeFormat;
import org.jspecify.annotations.Nullable;

/**
 * @param format what is sent: the bytes of the disk, or a qcow2 file that is converted into it
 * @param size of what is sent; a qcow2 file has to say it, the bytes of a disk are the disk's
 * @param dataBytes of it that are not zeros, if that is known; so much space must be free
 */
public record BeginUploadRequest(
    VolumeFormat format, @Nullable Long size, @Nullable Long dataBytes) {
  /** The bytes of a disk, however many of them are zeros. */
  public static final BeginUploadRequest RAW = new BeginUploadRequest(VolumeFormat.RAW, null, null);
}
