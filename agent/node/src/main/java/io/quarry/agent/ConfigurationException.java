package io.quarry.agent;

/**
 * The configuration file cannot be used; the message names the file, the field and what to write
 * instead. Starting again without a change would not help.
 */
public final class ConfigurationException extends Exception {
  public ConfigurationException(String message) {
    super(message);
  }
}
