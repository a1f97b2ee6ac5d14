package io.quarry.agent;

/**
 * The configuration file cannot be used. The message names the file, the field and a valid value.
 * Starting again without a change would not help.
 */
public final class ConfigurationException extends Exception {
  public ConfigurationException(String message) {
    super(message);
  }
}
