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

/** Fetches the data of an image, and skips its holes. */
final class DownloadLoop {
  private static final int EXTENTS_MAX = 10_000;

  /** A shorter gap of zeros is cheaper to receive than to skip. */
  private static final long GAP_BYTES_MAX = 1 << 20;

  private final StorageApi api;
  private final String repo;
  private final String image;
  private final PartialFile partial;
  private final ProgressLine line;

  /** The data bytes that this command has to fetch, as far as known. */
  private long wanted;

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

  /** Returns when the whole image is in the file; starts again when the image has changed. */
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
      boolean last = extents.end() == extents.size();
      fetch(pieces(extents.data()), etag, last);
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

  private static List<DataExtent> pieces(List<DataExtent> extents) {
    List<DataExtent> pieces = new ArrayList<>();
    for (DataExtent range : joined(extents)) {
      for (long at = range.offset(); at < range.end(); at += InFlight.PIECE_BYTES) {
        pieces.add(new DataExtent(at, Math.min(InFlight.PIECE_BYTES, range.end() - at)));
      }
    }
    return pieces;
  }

  /** The last piece is requested alone: with that piece the agent releases the image. */
  private void fetch(List<DataExtent> pieces, String etag, boolean last) throws IOException {
    wanted += pieces.stream().mapToLong(DataExtent::length).sum();
    try (InFlight<Piece> flight = new InFlight<>(this::write)) {
      for (int i = 0; i < pieces.size(); i++) {
        DataExtent range = pieces.get(i);
        boolean more = !last || i < pieces.size() - 1;
        if (!more) {
          flight.drain();
        }
        flight.add(() -> fetch(range, etag, more));
      }
      flight.drain();
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
  private record Piece(long offset, byte[] bytes) {}

  private Piece fetch(DataExtent range, String etag, boolean more) throws IOException {
    var request =
        new DownloadRequest(ByteRange.of(range.offset(), range.length()), etag, null, more);
    try (ImageData data = api.downloadImage(repo, image, request)) {
      byte[] bytes = new byte[(int) range.length()];
      int count = data.content().readNBytes(bytes, 0, bytes.length);
      if (count < bytes.length) {
        throw new IOException("the download ended at byte " + (range.offset() + count));
      }
      return new Piece(range.offset(), bytes);
    }
  }

  private void write(Piece piece) throws IOException {
    byte[] bytes = piece.bytes();
    partial.write(piece.offset(), bytes, bytes.length);
    received += bytes.length;
    partial.reached(piece.offset() + bytes.length);
    line.advance("downloading", new Done(received, wanted));
  }
}
