package io.quarry.agent.cli;

import io.quarry.common.api.ByteRange;
import io.quarry.common.api.DownloadRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.ExtentQuery;
import io.quarry.common.api.ImageData;
import io.quarry.common.api.ImageExtents;
import io.quarry.common.api.ImageExtents.DataExtent;
import io.quarry.common.api.StorageApi;
import io.quarry.common.api.StorageException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Fetches what an image has, and skips what it has not. */
final class DownloadLoop {
  private static final int EXTENTS_MAX = 10_000;
  private static final int BUFFER_BYTES = 1 << 20;

  /** Zeros that are cheaper to send than to ask around. */
  private static final long GAP_BYTES_MAX = 1 << 20;

  private final StorageApi api;
  private final String repo;
  private final String image;
  private final PartialFile partial;
  private final ProgressLine line;
  private long received;

  DownloadLoop(StorageApi api, String repo, String image, PartialFile partial, ProgressLine line) {
    this.api = api;
    this.repo = repo;
    this.image = image;
    this.partial = partial;
    this.line = line;
  }

  /**
   * @param received bytes that came over the network
   */
  record Whole(String etag, long size, long received) {}

  /** Returns when the whole image is in the file; begins anew when the image has changed. */
  Whole run() throws IOException {
    while (true) {
      try {
        return once();
      } catch (StorageException e) {
        if (e.code() != ErrorCode.IMAGE_CHANGED) {
          throw e;
        }
        line.say("the image has changed; beginning anew");
      }
    }
  }

  private Whole once() throws IOException {
    long at = partial.offset();
    while (true) {
      ImageExtents extents =
          api.listImageExtents(repo, image, new ExtentQuery(at, EXTENTS_MAX, true));
      String etag = extents.etag();
      if (!etag.equals(partial.etag())) {
        boolean first = partial.etag() == null;
        partial.begin(image, etag, extents.size());
        if (!first && at > 0) {
          line.say("the image has changed; beginning anew");
          at = 0;
          continue;
        }
      }
      List<DataExtent> ranges = joined(extents.data());
      boolean last = extents.end() == extents.size();
      for (int i = 0; i < ranges.size(); i++) {
        boolean more = !last || i < ranges.size() - 1;
        fetch(ranges.get(i), etag, extents.size(), more);
      }
      at = extents.end();
      partial.reached(at);
      if (last) {
        return new Whole(etag, extents.size(), received);
      }
    }
  }

  private static List<DataExtent> joined(List<DataExtent> extents) {
    List<DataExtent> joined = new ArrayList<>();
    for (DataExtent extent : extents) {
      if (!joined.isEmpty() && extent.offset() - joined.getLast().end() <= GAP_BYTES_MAX) {
        DataExtent before = joined.removeLast();
        joined.add(new DataExtent(before.offset(), extent.end() - before.offset()));
      } else {
        joined.add(extent);
      }
    }
    return joined;
  }

  private void fetch(DataExtent range, String etag, long size, boolean more) throws IOException {
    var request =
        new DownloadRequest(ByteRange.of(range.offset(), range.length()), etag, null, more);
    byte[] buffer = new byte[BUFFER_BYTES];
    long at = range.offset();
    try (ImageData data = api.downloadImage(repo, image, request)) {
      while (at < range.end()) {
        int count = data.content().read(buffer);
        if (count < 0) {
          throw new IOException("the download ended at byte " + at);
        }
        partial.write(at, buffer, count);
        at += count;
        received += count;
        partial.reached(at);
        line.advance("downloading", new Done(at, size));
      }
    }
  }
}
