package io.quarry.common.api;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/** The digest that is sent with pieces of images. */
public final class Sha256 {
  private Sha256() {}

  public static MessageDigest fresh() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** The digest as HTTP writes it. */
  public static String base64(byte[] bytes) {
    return Base64.getEncoder().encodeToString(fresh().digest(bytes));
  }
}
