package io.quarry.coordinator.plan;

/**
 * Takes the place of a request of which nobody knows what became: it is committed under that
 * request's id, so whoever still holds that one, however long it slept, finds its id used. What was
 * committed before stays, and is the answer.
 */
public record CancelRequest() implements Request {
  static final String OPERATION = "cancelRequest";

  @Override
  public Reply plan(Draft draft) {
    return draft.reply(this, "");
  }

  public static boolean made(Reply reply) {
    return reply.operation().equals(OPERATION);
  }
}
