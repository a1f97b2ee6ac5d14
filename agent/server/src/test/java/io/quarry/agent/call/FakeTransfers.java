package io.quarry.agent.call;

import io.quarry.common.api.BeginUploadRequest;
import io.quarry.common.api.ByteRange;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ExtentQuery;
import io.quarry.common.api.FinishUploadRequest;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.ImageExtents;
import io.quarry.common.api.ImageExtents.DataExtent;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import io.quarry.common.api.UploadInfo;
import io.quarry.common.api.UploadRange;
import io.quarry.common.model.VolumeFormat;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Uploads and downloads. */
abstract class FakeTransfers extends FakeOpens {
  private static final long DATA = 1 << 20;
  private static final long TAIL = 4096;

  /** Downloads of at most so many bytes have a digest. */
  private static final int SHORT = 8 << 20;

  private final Map<String, byte[]> contents = new TreeMap<>();

  /** Where the next upload breaks off. */
  public long cutOffAt = Long.MAX_VALUE;

  /** The upload that was begun last. */
  public @Nullable BeginUploadRequest begun;

  /** What an image holds: sevens, until something is uploaded. */
  public final byte[] content(String imageId, long size) {
    return contents.computeIfAbsent(
        imageId,
        _ -> {
          byte[] sevens = new byte[(int) size];
          Arrays.fill(sevens, (byte) 7);
          return sevens;
        });
  }

  public final byte[] uploaded(String imageId) {
    return Objects.requireNonNull(contents.get(imageId));
  }

  /** Whether an upload into it has begun and not ended. */
  public final boolean takesUpload(String imageId) {
    return uploads.containsKey(imageId);
  }

  /** The first MiB of every image is sevens, and the last 4 KiB; the rest is zeros. */
  @Override
  public ImageExtents listImageExtents(String repoId, String imageId, ExtentQuery query) {
    Image image = image(repoId, imageId);
    List<DataExtent> data =
        List.of(new DataExtent(0, DATA), new DataExtent(image.size - TAIL, TAIL));
    return new ImageExtents(etag(image), image.size, 0, image.size, data);
  }

  @Override
  public ImageData downloadImage(String repoId, String imageId, DownloadRequest request) {
    Image image = image(repoId, imageId);
    ByteRange range = request.range() == null ? ByteRange.from(0) : request.range();
    if (range.lengthIn(image.size) <= 0) {
      throw new StorageException(
          ErrorCode.RANGE_NOT_SATISFIABLE, range + " is outside", imageId, "Ask for less.");
    }
    int offset = (int) range.offsetIn(image.size);
    int length = (int) range.lengthIn(image.size);
    byte[] content = content(imageId, image.size);
    return new ImageData(
        etag(image),
        image.size,
        offset,
        length,
        request.range() != null,
        length > SHORT ? null : Sha256.base64(Arrays.copyOfRange(content, offset, offset + length)),
        new ByteArrayInputStream(content, offset, length));
  }

  @Override
  public UploadInfo beginUpload(
      String repoId, String imageId, BeginUploadRequest request, @Nullable String requestId) {
    begun = request;
    Image image = image(repoId, imageId);
    if (uploads.containsKey(imageId)) {
      throw new StorageException(
          ErrorCode.IMAGE_IN_USE, "the image is open by upload", imageId, "Close it.");
    }
    String id = name("upload");
    long size = request.size() == null ? image.size : request.size();
    contents.put(imageId, new byte[(int) size]);
    var conversion =
        request.format() == VolumeFormat.QCOW2 ? new UploadInfo.Conversion(image.size, 0) : null;
    uploads.put(imageId, new UploadInfo(id, size, 0, 0, false, conversion, ++commit));
    return Objects.requireNonNull(uploads.get(imageId));
  }

  @Override
  public UploadInfo getUpload(String repoId, String imageId, String uploadId) {
    UploadInfo upload = uploads.get(imageId);
    if (upload == null || !upload.uploadId().equals(uploadId)) {
      throw noOpen(uploadId);
    }
    return upload;
  }

  @Override
  public UploadInfo uploadImage(
      String repoId, String imageId, String uploadId, UploadRange range, InputStream content) {
    UploadInfo before = getUpload(repoId, imageId, uploadId);
    if (range.offset() > before.offset()) {
      throw new StorageException(
          ErrorCode.RANGE_NOT_SATISFIABLE,
          "bytes are missing",
          imageId,
          "Go on from " + before.offset());
    }
    if (range.offset() >= cutOffAt) {
      cutOffAt = Long.MAX_VALUE;
      throw new StorageException(
          ErrorCode.AGENT_UNAVAILABLE, "no agent answers", imageId, "Try again.");
    }
    try {
      byte[] bytes = content.readAllBytes();
      System.arraycopy(bytes, 0, uploaded(imageId), (int) range.offset(), bytes.length);
    } catch (IOException e) {
      throw StorageException.invalid("body", "It broke off.", "Send it again.");
    }
    var conversion = before.conversion();
    var info = new UploadInfo(uploadId, range.size(), range.end(), 0, false, conversion, commit);
    uploads.put(imageId, info);
    return info;
  }

  @Override
  public UploadInfo finishUpload(
      String repoId,
      String imageId,
      String uploadId,
      FinishUploadRequest request,
      @Nullable String requestId) {
    UploadInfo info = getUpload(repoId, imageId, uploadId);
    UploadInfo.Conversion conversion = info.conversion();
    boolean done = info.verified() > 0 && (conversion == null || conversion.offset() > 0);
    if (conversion != null && info.verified() > 0) {
      conversion = new UploadInfo.Conversion(conversion.size(), conversion.size() / 2);
    }
    info =
        new UploadInfo(uploadId, info.size(), info.offset(), info.size(), done, conversion, commit);
    uploads.put(imageId, info);
    if (done) {
      uploads.remove(imageId);
    }
    return info;
  }

  private static String etag(Image image) {
    return "\"" + image.id + "\"";
  }
}
