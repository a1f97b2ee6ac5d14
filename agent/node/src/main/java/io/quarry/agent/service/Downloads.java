package io.quarry.agent.service;

import io.quarry.agent.data.Extent;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ExtentQuery;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.ImageExtents;
import io.quarry.common.api.ImageExtents.DataExtent;
import io.quarry.common.api.Sha256;
import io.quarry.common.api.StorageException;
import java.io.ByteArrayInputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads images for callers: their bytes, and the extents that have data. */
final class Downloads {
  /** Up to so many bytes are held in memory, so that their digest is known before they are sent. */
  static final int DIGEST_BYTES_MAX = 8 << 20;

  private static final long SPAN_BYTES = 1L << 30;

  /** A caller gets an answer within this time, even if only a part of the extents. */
  private static final Duration LOOK = Duration.ofSeconds(5);

  private final DownloadSessions readings;
  private final FixContext context;

  Downloads(DownloadSessions readings, FixContext context) {
    this.readings = readings;
    this.context = context;
  }

  ImageData download(ConnectedRepository repository, String imageId, DownloadRequest request) {
    DownloadSession reading = take(repository, imageId);
    try {
      if (request.ifMatch() != null && !request.ifMatch().equals(reading.etag())) {
        throw changed(imageId, request.ifMatch());
      }
      return data(reading, request);
    } catch (RuntimeException e) {
      readings.retire(reading);
      throw e;
    }
  }

  private DownloadSession take(ConnectedRepository repository, String imageId) {
    DownloadSession reading = readings.take(repository, imageId);
    try {
      reading.look();
      return reading;
    } catch (RuntimeException e) {
      readings.retire(reading);
      throw e;
    }
  }

  private ImageData data(DownloadSession reading, DownloadRequest request) {
    long size = reading.size();
    boolean range =
        request.range() != null
            && (request.ifRange() == null || request.ifRange().equals(reading.etag()));
    long offset = range && request.range() != null ? request.range().offsetIn(size) : 0;
    long length = range && request.range() != null ? request.range().lengthIn(size) : size;
    if (offset >= size || length <= 0) {
      throw outside(reading, String.valueOf(request.range()));
    }
    DownloadStream stream =
        new DownloadStream(
            reading,
            offset,
            length,
            context.throttle(),
            request.more() ? DownloadSession::requireKept : readings::finish,
            readings::release,
            readings::retire);
    if (length > DIGEST_BYTES_MAX) {
      return new ImageData(reading.etag(), size, offset, length, range, null, stream);
    }
    byte[] bytes = new byte[(int) length];
    for (int at = 0; at < bytes.length; ) {
      at += stream.read(bytes, at, bytes.length - at);
    }
    stream.close();
    return new ImageData(
        reading.etag(),
        size,
        offset,
        length,
        range,
        Sha256.base64(bytes),
        new ByteArrayInputStream(bytes));
  }

  ImageExtents extents(ConnectedRepository repository, String imageId, ExtentQuery query) {
    DownloadSession reading = take(repository, imageId);
    try {
      if (query.offset() >= reading.size()) {
        throw outside(reading, Long.toString(query.offset()));
      }
      ImageExtents extents = look(reading, query);
      if (query.more()) {
        reading.requireKept();
      } else {
        readings.finish(reading);
      }
      readings.release(reading);
      return extents;
    } catch (RuntimeException e) {
      readings.retire(reading);
      throw e;
    }
  }

  private static ImageExtents look(DownloadSession reading, ExtentQuery query) {
    List<DataExtent> data = new ArrayList<>();
    long until = System.nanoTime() + LOOK.toNanos();
    long at = query.offset();
    while (at < reading.size() && System.nanoTime() < until) {
      long length = Math.min(SPAN_BYTES, reading.size() - at);
      for (Extent extent : reading.extents(at, length)) {
        if (extent.kind() == Extent.Kind.DATA && !add(extent, data, query.limit())) {
          return answer(reading, query, extent.offset(), data);
        }
      }
      at += length;
    }
    return answer(reading, query, at, data);
  }

  private static ImageExtents answer(
      DownloadSession reading, ExtentQuery query, long end, List<DataExtent> data) {
    return new ImageExtents(reading.etag(), reading.size(), query.offset(), end, data);
  }

  /** Whether the list had room for the extent. */
  private static boolean add(Extent extent, List<DataExtent> data, int limit) {
    @Nullable DataExtent last = data.isEmpty() ? null : data.getLast();
    if (last != null && last.end() == extent.offset()) {
      data.set(data.size() - 1, new DataExtent(last.offset(), last.length() + extent.length()));
      return true;
    }
    if (data.size() == limit) {
      return false;
    }
    data.add(new DataExtent(extent.offset(), extent.length()));
    return true;
  }

  private static StorageException changed(String imageId, String etag) {
    return new StorageException(
        ErrorCode.IMAGE_CHANGED,
        "image " + imageId + " may have changed since " + etag + " was given",
        imageId,
        "begin anew, without If-Match");
  }

  private static StorageException outside(DownloadSession reading, String range) {
    return new StorageException(
        ErrorCode.RANGE_NOT_SATISFIABLE,
        range + " begins behind the end of the image, at " + reading.size(),
        reading.imageId(),
        "ask for bytes before " + reading.size());
  }
}
