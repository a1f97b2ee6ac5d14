package io.quarry.agent.repository;

import java.io.IOException;
import java.time.Duration;

/** Carries a request to another agent. */
public interface SubmitTransport {
  /**
   * @param endpoint base URL of the other agent
   * @return the answer's bytes
   * @throws NotSentException when the other agent has certainly not seen the request
   * @throws IOException when it may have
   * @throws io.quarry.common.api.StorageException the other agent's refusal
   */
  byte[] submit(String endpoint, byte[] body, Duration timeout) throws IOException;

  /** The request was not sent: there was no connection. */
  final class NotSentException extends IOException {
    private static final long serialVersionUID = 1L;

    public NotSentException(String message) {
      super(message);
    }
  }
}
