package io.quarry.agent.server;

import io.quarry.common.api.ErrorBody;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What goes back over the wire.
 *
 * @param header one more header, {@code Location} or {@code Allow}; null when there is none
 */
@SuppressWarnings("ArrayRecordComponent") // handed on once, never compared
record Answer(int status, String contentType, byte[] body, @Nullable Header header) {
  static final String JSON = "application/json";
  private static final Logger LOG = LoggerFactory.getLogger(Answer.class);

  record Header(String name, String value) {}

  static Answer json(int status, Object value) {
    return new Answer(status, JSON, JsonText.write(value), null);
  }

  static Answer of(String contentType, byte[] body) {
    return new Answer(200, contentType, body, null);
  }

  static Answer empty(int status) {
    return new Answer(status, JSON, new byte[0], null);
  }

  Answer with(String name, String value) {
    return new Answer(status, contentType, body, new Header(name, value));
  }

  static Answer error(ErrorCode code, String message, String subject, String remedy) {
    return json(code.httpStatus(), new ErrorBody(code, message, subject, remedy));
  }

  /** A stack trace goes to the log alone; the caller gets an id to find it by. */
  static Answer error(Throwable failure, String what) {
    if (failure instanceof StorageException refusal) {
      return json(refusal.code().httpStatus(), refusal.body());
    }
    String id = UUID.randomUUID().toString();
    LOG.error("{} failed, error id {}", what, id, failure);
    return error(
        ErrorCode.INTERNAL,
        "The agent failed in a way it should not; error id " + id + ".",
        what,
        "Look for the error id in the agent's log and report it.");
  }
}
