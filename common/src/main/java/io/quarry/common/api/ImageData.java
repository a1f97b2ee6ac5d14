package io.quarry.common.api;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of an image. The stream ends only when it is certain that nobody has changed the image
 * meanwhile; a stream that breaks off gives no reason to doubt what another one with the same
 * entity tag gives.
 *
 * @param etag changes whenever the content may have changed
 * @param size of the whole image
 * @param offset of the first byte
 * @param length how many bytes follow
 * @param range whether they are a range that was asked for, even if it is the whole image
 * @param sha256 of these bytes in base64; null for a long stream
 */
public record ImageData(
    String etag,
    long size,
    long offset,
    long length,
    boolean range,
    @Nullable String sha256,
    InputStream content)
    implements Closeable {
  @Override
  public void close() throws IOException {
    content.close();
  }
}
