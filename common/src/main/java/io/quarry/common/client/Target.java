package io.quarry.common.client;

import io.quarry.common.api.PageQuery;
import io.quarry.common.api.StorageException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Builds the path and query of a request. */
final class Target {
  private final StringBuilder text;
  private final String repository;
  private boolean hasQuery;

  private Target(String start, String repository) {
    this.text = new StringBuilder(start);
    this.repository = repository;
  }

  static Target of(String path) {
    return new Target(path, "");
  }

  static Target repository(String repoId) {
    String path = of("/v1/repositories").segment("repoId", repoId).toString();
    return new Target(path, path);
  }

  /** The path that cancels a request to the same repository. */
  Target cancelling(String requestId) {
    return of(repository + "/requests").segment("requestId", requestId).then("/cancel");
  }

  static Target image(String repoId, String imageId) {
    return repository(repoId).then("/images").segment("imageId", imageId);
  }

  static Target fix(String repoId, String fixId) {
    return repository(repoId).then("/fixes").segment("fixId", fixId);
  }

  static Target open(String repoId, String openId) {
    return repository(repoId).then("/opens").segment("openId", openId);
  }

  Target then(String path) {
    text.append(path);
    return this;
  }

  Target segment(String name, String value) {
    if (value.isEmpty()) {
      throw StorageException.invalid(name, name + " is empty.", "Name one.");
    }
    text.append('/').append(encoded(value));
    return this;
  }

  Target with(String name, @Nullable Object value) {
    if (value != null) {
      text.append(hasQuery ? '&' : '?').append(name).append('=').append(encoded(value.toString()));
      hasQuery = true;
    }
    return this;
  }

  Target page(@Nullable String after, int limit) {
    return with("after", after).with("limit", limit);
  }

  /** A page of a listing whose pages are full by default; older agents do not know its limit. */
  Target fullPage(@Nullable String after, int limit) {
    return with("after", after).with("limit", limit == PageQuery.LIMIT_MAX ? null : limit);
  }

  Target atLeast(long commit) {
    return commit > 0 ? with("atLeast", commit) : this;
  }

  private static String encoded(String value) {
    String encoded = URLEncoder.encode(value, StandardCharsets.UTF_8).replace("+", "%20");
    // Dots have a meaning of their own in a path, and encoders leave them alone.
    return encoded.equals(".") || encoded.equals("..") ? encoded.replace(".", "%2E") : encoded;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
