package io.quarry.common.api;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of an image. The stream ends without an error only if no process has changed the image
 * meanwhile. A stream that breaks off says nothing against other streams with the same entity tag.
 *
 * @param etag changes whenever the content may have changed
 * @param size of the whole image
 * @param offset of the first byte
 * @param length how many bytes follow
 * @param range whether the caller asked for a range, even if that is the whole image
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
