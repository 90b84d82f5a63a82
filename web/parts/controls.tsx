/** Buttons, fields, choices and dialogs: the component library's, as they look here. */
import { useRef, type SyntheticEvent, type ReactNode } from 'react';
import {
  Button as AriaButton,
  CheckboxButton,
  CheckboxField,
  CheckboxGroup,
  Dialog,
  FieldError,
  Heading,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Modal,
  ModalOverlay,
  Popover,
  RadioButton,
  RadioField,
  RadioGroup,
  Select,
  SelectValue,
  Text,
  TextArea,
  TextField,
  type ButtonProps as AriaButtonProps,
  type TextFieldProps,
} from 'react-aria-components';
import { useFocusHandedOn } from './focus';

interface ButtonProps extends Omit<AriaButtonProps, 'className'> {
  look?: 'primary' | 'danger' | 'quiet' | undefined;
}

/** While it is pending it keeps the focus, for who has no pointer goes on from there; where it goes, it hands the focus on. */
export function Button({ look, ...props }: ButtonProps) {
  const button = useRef<HTMLButtonElement>(null);
  useFocusHandedOn(button);
  return <AriaButton {...props} ref={button} className={look === undefined ? 'button' : `button ${look}`} />;
}

interface FieldProps extends Omit<TextFieldProps, 'className' | 'children'> {
  label: string;
  hint?: ReactNode;
  /** What is wrong with what was written. */
  wrong?: string | undefined;
  placeholder?: string;
  lines?: number;
}

/** A line of text, or several, with its name above and what one should know below. */
export function Field({ label, hint, wrong, placeholder, lines, ...props }: FieldProps) {
  // Said to be valid, it would keep to itself what the browser finds wrong: that it is empty, or too short.
  return (
    <TextField
      {...props}
      className="field"
      onInput={lookAgain}
      {...(wrong !== undefined && { isInvalid: true })}
    >
      <Label>{label}</Label>
      {lines === undefined ? <Input placeholder={placeholder ?? ''} /> : <TextArea rows={lines} />}
      {hint !== undefined && (
        <Text slot="description" className="hint">
          {hint}
        </Text>
      )}
      <FieldError className="problem">{wrong}</FieldError>
    </TextField>
  );
}

/**
 * What is said to be wrong goes as soon as it is right. Did it go when the field is left, the button that somebody presses next
 * would move away from under the pointer.
 */
function lookAgain({ currentTarget }: SyntheticEvent<HTMLElement>): void {
  if (currentTarget.hasAttribute('data-invalid')) currentTarget.dispatchEvent(new Event('change'));
}

interface ChoiceProps<Key extends string> {
  label: string;
  options: readonly { key: Key; name: string }[];
  value: Key | undefined;
  onChange: (key: Key) => void;
  placeholder?: string;
  isDisabled?: boolean;
  /** Whether it is clear to who sees it what it is. */
  isLabelHidden?: boolean;
}

/** One of a list that opens. */
export function Choice<Key extends string>({
  label,
  options,
  value,
  onChange,
  placeholder = 'Choose…',
  isDisabled = false,
  isLabelHidden = false,
}: ChoiceProps<Key>) {
  return (
    <Select
      className="field choice"
      isDisabled={isDisabled}
      placeholder={placeholder}
      value={value ?? null}
      onChange={(key) => {
        const chosen = options.find((option) => option.key === key);
        if (chosen) onChange(chosen.key);
      }}
    >
      <Label className={isLabelHidden ? 'unseen' : undefined}>{label}</Label>
      <AriaButton className="button">
        <SelectValue />
        <span className="caret" aria-hidden="true" />
      </AriaButton>
      <Popover className="popover">
        <ListBox items={options.map(({ key, name }) => ({ id: key, name }))}>
          {({ name }) => (
            <ListBoxItem className="option" textValue={name}>
              {name}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </Select>
  );
}

interface OneOfProps<Key extends string> {
  label: string;
  options: readonly { key: Key; name: string; about?: string }[];
  value: Key;
  onChange: (key: Key) => void;
}

/** One of a few that are all seen. */
export function OneOf<Key extends string>({ label, options, value, onChange }: OneOfProps<Key>) {
  return (
    <RadioGroup
      className="one-of"
      value={value}
      onChange={(key) => {
        const chosen = options.find((option) => option.key === key);
        if (chosen) onChange(chosen.key);
      }}
    >
      <Label>{label}</Label>
      {options.map(({ key, name, about }) => (
        <RadioField key={key} value={key}>
          <RadioButton className="radio">
            <span className="mark" aria-hidden="true" />
            <span>
              <b>{name}</b>
              {about !== undefined && <span className="hint">{about}</span>}
            </span>
          </RadioButton>
        </RadioField>
      ))}
    </RadioGroup>
  );
}

interface CheckProps {
  children: string;
  isSelected: boolean;
  onChange: (isSelected: boolean) => void;
}

/** Yes or no. */
export const Check = ({ children, ...props }: CheckProps) => (
  <CheckboxField {...props}>
    <CheckboxButton className="check">
      <span className="mark" aria-hidden="true" />
      {children}
    </CheckboxButton>
  </CheckboxField>
);

interface AnyOfProps<Key extends string> {
  label: string;
  options: readonly { key: Key; name: string }[];
  value: readonly Key[];
  onChange: (keys: Key[]) => void;
  isReadOnly?: boolean;
}

/** Any of a few that are all seen. */
export function AnyOf<Key extends string>({
  label,
  options,
  value,
  onChange,
  isReadOnly = false,
}: AnyOfProps<Key>) {
  return (
    <CheckboxGroup
      className="any-of"
      isReadOnly={isReadOnly}
      value={[...value]}
      onChange={(keys) => onChange(options.map(({ key }) => key).filter((key) => keys.includes(key)))}
    >
      <Label>{label}</Label>
      {options.map(({ key, name }) => (
        <CheckboxField key={key} value={key}>
          <CheckboxButton className="check">
            <span className="mark" aria-hidden="true" />
            {name}
          </CheckboxButton>
        </CheckboxField>
      ))}
    </CheckboxGroup>
  );
}

interface QuestionProps {
  title: string;
  isOpen: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** Asks something before it is done. */
export function Question({ title, isOpen, onClose, children }: QuestionProps) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen={isOpen}
      isDismissable
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Modal className="modal">
        <Dialog className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

/** What went wrong with something that was asked for. */
export const Trouble = ({ children }: { children: string | undefined }) =>
  children === undefined ? null : (
    <p className="problem" role="alert">
      {children}
    </p>
  );
